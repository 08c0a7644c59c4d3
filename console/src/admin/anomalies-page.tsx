import { useState } from 'react'

import { AdminAnomaliesDocument, OrganizationAnomaliesDocument } from '../gql/graphql.ts'
import type {
  AdminAnomaliesQuery,
  AnomalySeverity,
  OrganizationAnomaliesQuery,
} from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { usePlace } from '../shell/organization.ts'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { AnomalyTable, SeverityFilter } from './anomaly-list.tsx'

const allOf = (data: AdminAnomaliesQuery) => data.anomalies
const ownOf = (data: OrganizationAnomaliesQuery) => data.organization?.anomalies
const nothing = (
  <Empty title="Nothing was seen">
    Failed sign-ins, new places and misused credentials show here.
  </Empty>
)

/** What was seen anywhere on this server, for staff. */
export function AllAnomaliesPage() {
  const [severity, setSeverity] = useState<AnomalySeverity | null>(null)
  const pages = usePages({ document: AdminAnomaliesDocument, variables: { severity }, pick: allOf })
  const list = loadedOf(pages, {
    path: 'anomalies',
    pick: () => pages.nodes,
    isEmpty: (anomalies) => anomalies.length === 0,
  })
  return (
    <Page
      title="Anomalies"
      about="What may be an attack, anywhere on this server: one row per kind, subject and hour."
      actions={<SeverityFilter severity={severity} onChoose={setSeverity} />}
    >
      <Panel of={list} isFlush onRetry={pages.refetch} empty={nothing}>
        {(anomalies) => (
          <>
            <AnomalyTable anomalies={anomalies} />
            <LoadMore {...pages} count={anomalies.length} what={['anomaly', 'anomalies']} />
          </>
        )}
      </Panel>
    </Page>
  )
}

/** What was seen in this organization, for its owners and admins. */
export function AnomaliesPage() {
  const { id } = usePlace().organization
  const [severity, setSeverity] = useState<AnomalySeverity | null>(null)
  const pages = usePages({
    document: OrganizationAnomaliesDocument,
    variables: { id, severity },
    pick: ownOf,
  })
  const list = loadedOf(pages, {
    path: 'organization.anomalies',
    pick: () => pages.nodes,
    isEmpty: (anomalies) => anomalies.length === 0,
  })
  return (
    <Page
      title="Anomalies"
      about="What may be an attack on members and credentials. Owners are told of severe ones by mail."
      actions={<SeverityFilter severity={severity} onChoose={setSeverity} />}
    >
      <Panel of={list} isFlush onRetry={pages.refetch} empty={nothing}>
        {(anomalies) => (
          <>
            <AnomalyTable anomalies={anomalies} />
            <LoadMore {...pages} count={anomalies.length} what={['anomaly', 'anomalies']} />
          </>
        )}
      </Panel>
    </Page>
  )
}
