import { Button } from '@mantine/core'
import { IconFingerprint } from '@tabler/icons-react'
import { useState } from 'react'

import { SignInWithPasskeyDocument, StartPasskeySignInDocument } from '../gql/graphql.ts'
import { problemAt, unreachable, type Problem } from '../graph/problem.ts'
import { grantOf } from './browser-sign-in.ts'
import { canUsePasskeys, getPasskey } from './passkey.ts'
import { useDoor } from './sign-in-context.ts'
import type { Grant } from './sign-in.ts'

interface Props {
  readonly onSignedIn: (grant: Grant) => void
  readonly onProblem: (problem: Problem | null) => void
}

export function PasskeyButton({ onSignedIn, onProblem }: Props) {
  const { anonymous } = useDoor()
  const [isBusy, setBusy] = useState(false)
  if (!canUsePasskeys()) return null

  const signIn = async (): Promise<Problem | null> => {
    const started = await anonymous.mutation(StartPasskeySignInDocument, {}).toPromise()
    if (!started.data) return problemAt(started.error) ?? unreachable('the answer was empty')
    const { response, problem } = await getPasskey(started.data.startPasskeySignIn)
    if (problem) return problem
    const { data, error } = await anonymous
      .mutation(SignInWithPasskeyDocument, { response })
      .toPromise()
    if (!data) return problemAt(error) ?? unreachable('the answer was empty')
    onSignedIn(grantOf(data.signInWithPasskey))
    return null
  }
  const run = async () => {
    onProblem(null)
    setBusy(true)
    const problem = await signIn()
    setBusy(false)
    onProblem(problem)
  }

  return (
    <Button
      variant="default"
      fullWidth
      leftSection={<IconFingerprint size={18} aria-hidden />}
      loading={isBusy}
      onClick={() => void run()}
    >
      Continue with a passkey
    </Button>
  )
}
