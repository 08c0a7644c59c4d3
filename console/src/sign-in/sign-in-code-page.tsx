import { Anchor, Button, Stack, Text } from '@mantine/core'
import { getRouteApi, Link, useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { FinishSignInDocument } from '../gql/graphql.ts'
import { problemAt, unreachable, type Problem } from '../graph/problem.ts'
import { CodeInput } from '../ui/code-input.tsx'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { grantOf } from './browser-sign-in.ts'
import { Door } from './door.tsx'
import { useLinkToken } from './link-token.ts'
import { useDoor } from './sign-in-context.ts'

const route = getRouteApi('/sign-in/code')

/** The second factor, after another account has said who it is. */
export function SignInCodePage() {
  const { signIn, anonymous } = useDoor()
  const { to } = route.useSearch()
  const router = useRouter()
  const ticket = useLinkToken()
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const code = formText(event.currentTarget, 'code')
    setBusy(true)
    const { data, error } = await anonymous
      .mutation(FinishSignInDocument, { ticket, code })
      .toPromise()
    setBusy(false)
    if (!data) return setProblem(problemAt(error) ?? unreachable('the answer was empty'))
    signIn.accept(grantOf(data.finishSignIn))
    router.history.push(to ?? '/')
  }

  return (
    <Door title="One more step" about="Your account has a second factor.">
      {problem && <ProblemNote problem={problem} />}
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <CodeInput />
          <Button type="submit" loading={isBusy} fullWidth mt="xs">
            Sign in
          </Button>
        </Stack>
      </form>
      <Text size="sm">
        <Anchor renderRoot={(props) => <Link to="/sign-in" {...props} />} underline="always">
          Start again
        </Anchor>
      </Text>
    </Door>
  )
}
