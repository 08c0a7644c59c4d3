import { Anchor, Button, Stack, Text, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { RequestPasswordResetDocument } from '../gql/graphql.ts'
import type { Problem } from '../graph/problem.ts'
import { problemAt, unreachable } from '../graph/problem.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Door } from './door.tsx'
import { useDoor } from './sign-in-context.ts'

export function ForgotPasswordPage() {
  const { anonymous } = useDoor()
  const [isBusy, setBusy] = useState(false)
  const [sentTo, setSentTo] = useState<string | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const email = formText(event.currentTarget, 'email')
    setBusy(true)
    setProblem(null)
    const { data, error } = await anonymous
      .mutation(RequestPasswordResetDocument, { email })
      .toPromise()
    setBusy(false)
    if (data) setSentTo(email)
    else setProblem(problemAt(error) ?? unreachable('the answer was empty'))
  }

  return (
    <Door title="Set a new password" about="A link comes by mail, good for 30 minutes.">
      {problem && <ProblemNote problem={problem} />}
      {sentTo === null ? (
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <TextInput
              label="Email"
              name="email"
              type="email"
              autoComplete="username"
              required
              autoFocus
            />
            <Button type="submit" loading={isBusy} fullWidth mt="xs">
              Send the link
            </Button>
          </Stack>
        </form>
      ) : (
        <Text size="sm" role="status">
          If {sentTo} has an account here, a mail is on its way. Look into the spam folder, too.
        </Text>
      )}
      <BackToSignIn />
    </Door>
  )
}

export function BackToSignIn() {
  return (
    <Text size="sm">
      <Anchor renderRoot={(props) => <Link to="/sign-in" {...props} />} underline="always">
        Back to the sign-in
      </Anchor>
    </Text>
  )
}
