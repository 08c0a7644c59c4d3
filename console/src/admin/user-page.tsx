import { Button, Group } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { Fragment, useState } from 'react'
import { useQuery } from 'urql'

import {
  AdminUserDocument,
  RequestPasswordResetDocument,
  SuspendUserDocument,
  UnsuspendUserDocument,
} from '../gql/graphql.ts'
import type { AdminUserQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'
import { Impersonate } from './impersonate.tsx'
import { SuspendDialog, SuspendedNote } from './suspend.tsx'
import { UserRecord } from './user-record.tsx'

type User = AdminUserQuery['staffUser']

/** One user, for staff: who they are, suspension, and acting as them. */
export function UserPage() {
  const { userId } = useParams({ from: '/in/admin/users/$userId' })
  const [answer, refetch] = useQuery({ query: AdminUserDocument, variables: { id: userId } })
  const user = loadedOf(
    { data: answer.data, error: answer.error, fetching: answer.fetching },
    { path: 'staffUser', pick: (data) => data.staffUser },
  )
  const again = () => refetch({ requestPolicy: 'network-only' })
  return (
    <Page
      title={user.kind === 'full' ? user.value.name : 'User'}
      about={user.kind === 'full' ? user.value.email : ''}
    >
      <Panel of={user} onRetry={again}>
        {(found) => <Detail user={found} onChange={again} />}
      </Panel>
      {user.kind === 'full' && <UserRecord user={user.value} />}
    </Page>
  )
}

function Detail({ user, onChange }: { user: User; onChange: () => void }) {
  const [asking, setAsking] = useState<'suspend' | 'impersonate' | null>(null)
  const suspend = useAction(SuspendUserDocument)
  const unsuspend = useAction(UnsuspendUserDocument)
  const reset = useAction(RequestPasswordResetDocument)
  const [isMailed, setMailed] = useState(false)
  const { id, email, suspension } = user
  const mailReset = async () => {
    const { data } = await reset.run({ email })
    if (data) setMailed(true)
  }
  const lift = async () => {
    await unsuspend.run({ id })
    onChange()
  }
  return (
    <>
      {suspension && <SuspendedNote title="This account is suspended" suspension={suspension} />}
      {unsuspend.problem && <ProblemNote problem={unsuspend.problem} />}
      {reset.problem && <ProblemNote problem={reset.problem} />}
      <Facts user={user} />
      <Group mt="md">
        {suspension ? (
          <Button variant="default" loading={unsuspend.isBusy} onClick={() => void lift()}>
            Lift the suspension
          </Button>
        ) : (
          <Button color="red.8" onClick={() => setAsking('suspend')}>
            Suspend …
          </Button>
        )}
        <Button
          variant="default"
          loading={reset.isBusy}
          disabled={isMailed}
          onClick={() => void mailReset()}
        >
          {isMailed ? 'The mail is on its way' : 'Mail a link for a new password'}
        </Button>
        {!user.isAdmin && (
          <Button variant="default" onClick={() => setAsking('impersonate')}>
            Act as this user …
          </Button>
        )}
      </Group>
      <SuspendDialog
        isOpen={asking === 'suspend'}
        title={`Suspend ${user.name}?`}
        effect="They are signed out everywhere within seconds, their agents are cut off, and they cannot come back until it is lifted. Their organizations go on for others."
        onSuspend={async (reason) => {
          const { problem } = await suspend.run({ id, reason })
          if (!problem) onChange()
          return problem
        }}
        onClose={() => setAsking(null)}
      />
      <Impersonate isOpen={asking === 'impersonate'} user={user} onClose={() => setAsking(null)} />
    </>
  )
}

/** How they come in, in words. */
function waysIn({ waysIn: { password, passkeys, accounts } }: User): string {
  const ways = [
    ...(password ? ['password'] : []),
    ...(passkeys > 0 ? [passkeys === 1 ? 'a passkey' : `${passkeys} passkeys`] : []),
    ...accounts,
  ]
  return ways.join(', ') || 'Single sign-on alone'
}

function Facts({ user }: { user: User }) {
  const facts = [
    ['Id', <span className="mono">{user.id}</span>],
    ['Address confirmed', user.emailVerifiedAt ? <Ago at={user.emailVerifiedAt} /> : 'No'],
    ['Signs in by', waysIn(user)],
    ['Second factor', user.waysIn.secondFactor ? 'On' : 'Off'],
    ['Signed up', <Ago at={user.createdAt} />],
    [
      'Last here',
      user.lastUse ? (
        <>
          <Ago at={user.lastUse.at} /> from <span className="mono">{user.lastUse.ip}</span>
        </>
      ) : (
        'Never'
      ),
    ],
  ] as const
  return (
    <dl className="facts">
      {facts.map(([term, value]) => (
        <Fragment key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  )
}
