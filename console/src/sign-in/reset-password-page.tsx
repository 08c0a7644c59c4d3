import { Button, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { ResetPasswordDocument } from '../gql/graphql.ts'
import type { Problem } from '../graph/problem.ts'
import { problemAt, unreachable } from '../graph/problem.ts'
import { passwordOf } from '../ui/form-text.ts'
import { NewPassword } from '../ui/new-password.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Door } from './door.tsx'
import { BackToSignIn } from './forgot-password-page.tsx'
import { useLinkToken } from './link-token.ts'
import { useDoor } from './sign-in-context.ts'

/** Where the link of a mail leads: a new password, typed once. */
export function ResetPasswordPage() {
  const { anonymous, signIn } = useDoor()
  const token = useLinkToken()
  const [isBusy, setBusy] = useState(false)
  const [isDone, setDone] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const password = passwordOf(event.currentTarget)
    setBusy(true)
    setProblem(null)
    const { data, error } = await anonymous
      .mutation(ResetPasswordDocument, { token, password })
      .toPromise()
    setBusy(false)
    if (!data) return setProblem(problemAt(error) ?? unreachable('the answer was empty'))
    setDone(true)
    // Every sign-in has ended: this browser's, too, if it had one.
    signIn.end()
  }

  return (
    <Door title="Choose a new password" about="It ends every sign-in you have, also here.">
      {problem && <ProblemNote problem={problem} />}
      {isDone ? (
        <Text size="sm" role="status">
          Your password is changed. Sign in with the new one.
        </Text>
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <NewPassword label="New password" isFocused />
            <Button type="submit" loading={isBusy} fullWidth mt="xs">
              Change the password
            </Button>
          </Stack>
        </form>
      )}
      <BackToSignIn />
    </Door>
  )
}
