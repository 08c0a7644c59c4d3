import { Center, Loader } from '@mantine/core'
import { RouterProvider } from '@tanstack/react-router'
import { useEffect, useMemo } from 'react'
import type { Client } from 'urql'

import type { ConsoleRouter } from './routes.tsx'
import type { BrowserSignIn } from './sign-in/browser-sign-in.ts'
import { Door } from './sign-in/door.tsx'
import { DoorContext, useSignInState } from './sign-in/sign-in-context.ts'
import { ProblemNote } from './ui/problem-note.tsx'

interface Props {
  readonly signIn: BrowserSignIn
  readonly anonymous: Client
  readonly router: ConsoleRouter
}

export function App({ signIn, anonymous, router }: Props) {
  const door = useMemo(() => ({ signIn, anonymous }), [signIn, anonymous])
  return (
    <DoorContext value={door}>
      <Pages router={router} onRetry={() => void signIn.refresh()} />
    </DoorContext>
  )
}

/** Nothing is shown before it is known who asks: a page would flash and then give way to the sign-in. */
function Pages({ router, onRetry }: { router: ConsoleRouter; onRetry: () => void }) {
  const state = useSignInState()

  useEffect(() => {
    // The guards of the routes look again: whoever signed out leaves the page.
    if (state.kind === 'in' || state.kind === 'out') void router.invalidate()
  }, [router, state.kind])

  if (state.kind === 'starting') {
    return (
      <Center h="100vh" role="status" aria-label="Loading">
        <Loader />
      </Center>
    )
  }
  if (state.kind === 'unreachable') {
    return (
      <Door title="No connection" about="Your sign-in is kept; the console tries again by itself.">
        <ProblemNote problem={state.problem} onRetry={onRetry} />
      </Door>
    )
  }
  return <RouterProvider router={router} />
}
