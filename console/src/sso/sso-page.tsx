import { Stack } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { useQuery } from 'urql'

import { SsoSettingsDocument } from '../gql/graphql.ts'
import type { SsoSettingsQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePlace } from '../shell/organization.ts'
import { problemOfSearch } from '../sign-in/problem-search.ts'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { EmailDomains } from './email-domains.tsx'
import { Enforcement } from './enforcement.tsx'
import { OurAddresses } from './our-addresses.tsx'
import { Protocol } from './protocol.tsx'
import { ProviderForm } from './provider-form.tsx'
import { RoleRules } from './role-rules.tsx'
import { SamlKeys } from './saml-keys.tsx'
import { TestConnection } from './test-connection.tsx'

const route = getRouteApi('/in/o/$slug/sso')

type Settings = NonNullable<SsoSettingsQuery['organization']>
export type SsoConnection = NonNullable<Settings['sso']>
export type EmailDomain = Settings['emailDomains'][number]

/** What every step of setting single sign-on up needs. */
export interface StepProps {
  readonly connection: SsoConnection
  readonly onChanged: () => void
}

/** Single sign-on of the organization, step by step: each opens the next. */
export function SsoPage() {
  const { organization } = usePlace()
  const { problem } = route.useSearch()
  const met = problemOfSearch(problem)
  const [answer, execute] = useQuery({
    query: SsoSettingsDocument,
    variables: { organizationId: organization.id },
  })
  const refetch = () => execute({ requestPolicy: 'network-only' })
  const state = { data: answer.data, error: answer.error, fetching: answer.fetching }
  const domains = loadedOf(state, {
    path: 'organization.emailDomains',
    pick: (data) => data.organization?.emailDomains,
  })
  const sso = loadedOf(state, {
    path: 'organization.sso',
    // Null is an answer: there is none yet.
    pick: (data) => (data.organization ? { now: data.organization.sso ?? null } : null),
  })
  const connection = sso.kind === 'full' ? sso.value.now : null
  const isNamed = connection !== null && connection.issuer !== null

  return (
    <Page
      title="Single sign-on"
      about="Your people sign in at the identity provider of your company, by OpenID Connect or SAML."
    >
      <Stack>
        {met && <ProblemNote problem={met} />}
        <Panel title="1. Email domains" of={domains} onRetry={refetch} skeletonRows={3}>
          {(all) => <EmailDomains domains={all} onChanged={refetch} />}
        </Panel>
        <Panel title="2. Protocol" of={sso} onRetry={refetch} skeletonRows={2}>
          {({ now }) => <Protocol connection={now} onChanged={refetch} />}
        </Panel>
        {connection && (
          <>
            <Panel title="3. Your identity provider" of={{ kind: 'full', value: connection }}>
              {(now) => (
                <Stack gap="lg">
                  <OurAddresses connection={now} />
                  <ProviderForm connection={now} onChanged={refetch} key={now.kind} />
                  {now.kind === 'SAML' && <SamlKeys connection={now} onChanged={refetch} />}
                </Stack>
              )}
            </Panel>
            {isNamed && (
              <>
                <Panel title="4. Connection test" of={{ kind: 'full', value: connection }}>
                  {(now) => <TestConnection connection={now} />}
                </Panel>
                <Panel title="5. Roles" of={{ kind: 'full', value: connection }}>
                  {(now) => <RoleRules connection={now} onChanged={refetch} />}
                </Panel>
                <Panel title="6. Who signs in by it" of={{ kind: 'full', value: connection }}>
                  {(now) => <Enforcement connection={now} onChanged={refetch} />}
                </Panel>
              </>
            )}
          </>
        )}
      </Stack>
    </Page>
  )
}
