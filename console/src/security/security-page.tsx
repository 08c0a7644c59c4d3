import { Stack } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { useQuery } from 'urql'

import { AccountSecurityDocument } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { problemOfSearch } from '../sign-in/problem-search.ts'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { AccountData } from './account-data.tsx'
import { EmailSettings } from './email-settings.tsx'
import { NoPassword } from './no-password.tsx'
import { Passkeys } from './passkeys.tsx'
import { PasswordSettings } from './password-settings.tsx'
import { SecondFactorSettings } from './second-factor-settings.tsx'
import { SignIns } from './sign-ins.tsx'
import { SocialLinks } from './social-links.tsx'

const route = getRouteApi('/in/o/$slug/security')

/** What guards the account of whoever is signed in, whatever the organization. */
export function SecurityPage() {
  const [answer, execute] = useQuery({ query: AccountSecurityDocument })
  const { problem } = route.useSearch()
  const met = problemOfSearch(problem)
  const refetch = () => execute({ requestPolicy: 'network-only' })
  const state = { data: answer.data, error: answer.error, fetching: answer.fetching }
  const me = loadedOf(state, { path: 'me', pick: (data) => data.me })
  const factor = loadedOf(state, {
    path: 'secondFactor',
    // Null is an answer: it is off.
    pick: (data) => ({ now: data.secondFactor ?? null }),
  })
  const password = loadedOf(state, {
    path: 'hasPassword',
    pick: ({ hasPassword, me: account }) =>
      account ? { isSet: hasPassword, email: account.email } : null,
  })
  const passkeys = loadedOf(state, { path: 'passkeys', pick: (data) => data.passkeys })
  const social = loadedOf(state, {
    path: 'socialLinks',
    pick: (data) => ({ links: data.socialLinks, providers: data.socialProviders }),
  })
  const hasSocial =
    social.kind === 'full' && social.value.links.length + social.value.providers.length > 0
  const signIns = loadedOf(state, { path: 'signIns', pick: (data) => data.signIns })

  return (
    <Page
      title="Security"
      about="Your own account: who can sign in as you, and where you are signed in."
    >
      <Stack>
        {met && <ProblemNote problem={met} />}
        <Panel title="Email" of={me} onRetry={refetch} skeletonRows={2}>
          {(account) => <EmailSettings account={account} />}
        </Panel>
        <Panel title="Password" of={password} onRetry={refetch} skeletonRows={2}>
          {({ isSet, email }) =>
            isSet ? <PasswordSettings onChanged={refetch} /> : <NoPassword email={email} />
          }
        </Panel>
        <Panel title="Passkeys" of={passkeys} isFlush onRetry={refetch} skeletonRows={2}>
          {(all) => <Passkeys passkeys={all} onChanged={refetch} />}
        </Panel>
        {hasSocial && (
          <Panel title="Google and GitHub" of={social} onRetry={refetch} skeletonRows={2}>
            {({ links, providers }) => (
              <SocialLinks links={links} providers={providers} onChanged={refetch} />
            )}
          </Panel>
        )}
        <Panel title="Second factor" of={factor} onRetry={refetch} skeletonRows={2}>
          {({ now }) => <SecondFactorSettings factor={now} onChanged={refetch} />}
        </Panel>
        <Panel title="Sign-ins" of={signIns} isFlush onRetry={refetch}>
          {(all) => <SignIns signIns={all} onChanged={refetch} />}
        </Panel>
        <Panel title="Your data" of={me} onRetry={refetch} skeletonRows={2}>
          {({ email }) => <AccountData email={email} />}
        </Panel>
      </Stack>
    </Page>
  )
}
