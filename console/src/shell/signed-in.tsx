import { Center, Loader } from '@mantine/core'
import { Outlet } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import type { Client } from 'urql'
import { Provider, useQuery } from 'urql'

import { ImpersonationBanner } from '../admin/impersonation-banner.tsx'
import { MeDocument } from '../gql/graphql.ts'
import { createGraph } from '../graph/client.ts'
import { loadedOf } from '../graph/loaded.ts'
import { LiveContext } from '../live/live-context.ts'
import type { Live } from '../live/live.ts'
import { createLive } from '../live/live.ts'
import { Reauthenticate } from '../security/reauthenticate.tsx'
import { Door } from '../sign-in/door.tsx'
import { useDoor, useSignInState } from '../sign-in/sign-in-context.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { MeContext } from './me.ts'

const liveUrl = () => `${location.origin.replace(/^http/, 'ws')}/graphql`

/** What every page behind the sign-in needs: the graph and the live connection of this member, and who it is. */
export function SignedIn() {
  const { signIn } = useDoor()
  const state = useSignInState()
  const userId = state.kind === 'in' ? state.userId : null
  const [opened, setOpened] = useState<{ graph: Client; live: Live } | null>(null)

  useEffect(() => {
    if (userId === null) return undefined
    const live = createLive({ url: liveUrl(), token: () => signIn.freshToken() })
    setOpened({ live, graph: createGraph({ signIn, live: live.client }) })
    return () => {
      setOpened(null)
      live.close()
    }
  }, [signIn, userId])

  if (!opened) return null
  return (
    <Provider value={opened.graph}>
      <LiveContext value={opened.live}>
        <Reauthenticate>
          <WhoAmI />
        </Reauthenticate>
      </LiveContext>
    </Provider>
  )
}

function WhoAmI() {
  const [answer, refetch] = useQuery({ query: MeDocument })
  const me = loadedOf(
    { data: answer.data, error: answer.error, fetching: answer.fetching },
    { path: 'me', pick: (data) => data.me },
  )
  if (me.kind === 'failed') {
    return (
      <Door title="Not available" about="The console could not read your account.">
        <ProblemNote
          problem={me.problem}
          onRetry={() => refetch({ requestPolicy: 'network-only' })}
        />
      </Door>
    )
  }
  if (me.kind !== 'full') {
    return (
      <Center h="100vh" role="status" aria-label="Loading">
        <Loader />
      </Center>
    )
  }
  return (
    <MeContext value={me.value}>
      <ImpersonationBanner />
      <Outlet />
    </MeContext>
  )
}
