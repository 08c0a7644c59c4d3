import { Stack } from '@mantine/core'
import { useQuery } from 'urql'

import { AccountSecurityDocument } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { EmailSettings } from './email-settings.tsx'
import { PasswordSettings } from './password-settings.tsx'
import { SecondFactorSettings } from './second-factor-settings.tsx'
import { SignIns } from './sign-ins.tsx'

/** What guards the account of whoever is signed in, whatever the organization. */
export function SecurityPage() {
  const [answer, execute] = useQuery({ query: AccountSecurityDocument })
  const refetch = () => execute({ requestPolicy: 'network-only' })
  const state = { data: answer.data, error: answer.error, fetching: answer.fetching }
  const me = loadedOf(state, { path: 'me', pick: (data) => data.me })
  const factor = loadedOf(state, {
    path: 'secondFactor',
    // Null is an answer: it is off.
    pick: (data) => ({ now: data.secondFactor ?? null }),
  })
  const signIns = loadedOf(state, { path: 'signIns', pick: (data) => data.signIns })

  return (
    <Page
      title="Security"
      about="Your own account: who can sign in as you, and where you are signed in."
    >
      <Stack>
        <Panel title="Email" of={me} onRetry={refetch} skeletonRows={2}>
          {(account) => <EmailSettings account={account} />}
        </Panel>
        <Panel title="Password" of={me} onRetry={refetch} skeletonRows={2}>
          {() => <PasswordSettings onChanged={refetch} />}
        </Panel>
        <Panel title="Second factor" of={factor} onRetry={refetch} skeletonRows={2}>
          {({ now }) => <SecondFactorSettings factor={now} onChanged={refetch} />}
        </Panel>
        <Panel title="Sign-ins" of={signIns} isFlush onRetry={refetch}>
          {(all) => <SignIns signIns={all} onChanged={refetch} />}
        </Panel>
      </Stack>
    </Page>
  )
}
