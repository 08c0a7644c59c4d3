import { Anchor, Button, Stack, Text, TextInput } from '@mantine/core'
import { Link, useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { SignUpDocument } from '../gql/graphql.ts'
import type { Problem } from '../graph/problem.ts'
import { problemAt, unreachable } from '../graph/problem.ts'
import { formText, passwordOf } from '../ui/form-text.ts'
import { NewPassword } from '../ui/new-password.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { grantOf } from './browser-sign-in.ts'
import { Door } from './door.tsx'
import { OtherWays } from './other-ways.tsx'
import { useDoor } from './sign-in-context.ts'

export function SignUpPage() {
  const { signIn, anonymous } = useDoor()
  const router = useRouter()
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const organizationName = formText(form, 'organizationName')
    setBusy(true)
    const { data, error } = await anonymous
      .mutation(SignUpDocument, {
        input: {
          name: formText(form, 'name'),
          email: formText(form, 'email'),
          password: passwordOf(form),
          ...(organizationName && { organizationName }),
        },
      })
      .toPromise()
    setBusy(false)
    if (!data) return setProblem(problemAt(error) ?? unreachable('the answer was empty'))
    signIn.accept(grantOf(data.signUp))
    router.history.push('/start')
  }

  return (
    <Door title="Sign up" about="It makes your account and your first organization.">
      {problem && <ProblemNote problem={problem} />}
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <TextInput label="Name" name="name" autoComplete="name" required autoFocus />
          <TextInput label="Email" name="email" type="email" autoComplete="username" required />
          <NewPassword />
          <TextInput
            label="Organization"
            description="Optional. Owns your tunnels; others can join it later."
            name="organizationName"
            autoComplete="organization"
          />
          <Button type="submit" loading={isBusy} fullWidth mt="xs">
            Sign up
          </Button>
        </Stack>
      </form>
      <OtherWays returnTo="/start" onProblem={setProblem} />
      <Text size="sm">
        Have an account?{' '}
        <Anchor renderRoot={(props) => <Link to="/sign-in" {...props} />} underline="always">
          Sign in
        </Anchor>
      </Text>
    </Door>
  )
}
