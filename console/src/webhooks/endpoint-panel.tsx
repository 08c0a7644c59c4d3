import { Button } from '@mantine/core'
import { useEffect, useRef } from 'react'

import {
  ReplayWebhookDeliveriesDocument,
  SendTestWebhookDocument,
  WebhookDeliveriesDocument,
} from '../gql/graphql.ts'
import type { WebhookDeliveriesQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import { DeliveryTable } from './delivery-table.tsx'
import { EndpointActions } from './endpoint-actions.tsx'
import type { Endpoint } from './webhooks-page.tsx'

const deliveriesOf = (data: WebhookDeliveriesQuery) => data.webhookEndpoint?.deliveries
/** A message leaves within a second or so: the list is read again when it should be there. */
const lookAgainAfterMs = 2_500
const dayMs = 86_400_000

interface Props {
  readonly endpoint: Endpoint
  readonly mayChange: boolean
  readonly onChanged: () => void
  readonly onDeleted: () => void
}

/** One endpoint: what was sent to it, and what can be done with it. */
export function EndpointPanel({ endpoint, mayChange, onChanged, onDeleted }: Props) {
  const { id, url } = endpoint
  const test = useAction(SendTestWebhookDocument)
  const replay = useAction(ReplayWebhookDeliveriesDocument)
  const pages = usePages({
    document: WebhookDeliveriesDocument,
    variables: { endpointId: id },
    pick: deliveriesOf,
  })
  const list = loadedOf(pages, {
    path: 'webhookEndpoint.deliveries',
    pick: () => pages.nodes,
    isEmpty: (deliveries) => deliveries.length === 0,
  })
  const lookAgain = useLater(pages.refetch)
  const look = () => {
    pages.refetch()
    lookAgain()
  }
  const problem = test.problem ?? replay.problem

  const sendTest = async () => {
    const { data } = await test.run({ id })
    if (data) look()
  }
  const replayFailed = async () => {
    const now = Date.now()
    const times = { from: new Date(now - dayMs).toISOString(), to: new Date(now).toISOString() }
    const { data } = await replay.run({ endpointId: id, ...times })
    if (data) look()
  }

  return (
    <>
      {problem && <ProblemNote problem={problem} />}
      <Panel
        title={new URL(url).host}
        of={list}
        isFlush
        onRetry={pages.refetch}
        actions={
          <>
            <Button variant="default" size="xs" onClick={pages.refetch}>
              Refresh
            </Button>
            {mayChange && (
              <>
                <Button
                  variant="default"
                  size="xs"
                  loading={test.isBusy}
                  onClick={() => void sendTest()}
                >
                  Send a test
                </Button>
                <Button
                  variant="default"
                  size="xs"
                  loading={replay.isBusy}
                  onClick={() => void replayFailed()}
                >
                  Replay failures of a day
                </Button>
                <EndpointActions endpoint={endpoint} onChanged={onChanged} onDeleted={onDeleted} />
              </>
            )}
          </>
        }
        empty={<Empty title="Nothing was sent yet" />}
      >
        {(deliveries) => (
          <>
            <DeliveryTable deliveries={deliveries} mayReplay={mayChange} onReplayed={look} />
            <LoadMore {...pages} count={deliveries.length} what={['delivery', 'deliveries']} />
          </>
        )}
      </Panel>
    </>
  )
}

/** Calls it once, a moment later, unless the page was left. */
function useLater(run: () => void): () => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  return () => {
    clearTimeout(timer.current)
    timer.current = setTimeout(run, lookAgainAfterMs)
  }
}
