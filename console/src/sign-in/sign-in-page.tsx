import { Anchor, Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { getRouteApi, Link, useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { SignInDocument } from '../gql/graphql.ts'
import type { Problem } from '../graph/problem.ts'
import { problemAt, unreachable } from '../graph/problem.ts'
import { CodeInput } from '../ui/code-input.tsx'
import { formText, passwordOf } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { grantOf } from './browser-sign-in.ts'
import { Door } from './door.tsx'
import { OtherWays } from './other-ways.tsx'
import { PasskeyButton } from './passkey-button.tsx'
import { problemOfSearch } from './problem-search.ts'
import { useDoor, useSignInState } from './sign-in-context.ts'

const route = getRouteApi('/sign-in')

export function SignInPage() {
  const { signIn, anonymous } = useDoor()
  const state = useSignInState()
  const { to, problem: problemCode } = route.useSearch()
  const router = useRouter()
  const [isBusy, setBusy] = useState(false)
  const [isCodeNeeded, setCodeNeeded] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(
    problemOfSearch(problemCode) ?? (state.kind === 'out' ? state.problem : null),
  )

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    setBusy(true)
    const { data, error } = await anonymous
      .mutation(SignInDocument, {
        email: formText(form, 'email'),
        password: passwordOf(form),
        code: formText(form, 'code') || null,
      })
      .toPromise()
    setBusy(false)
    if (!data) {
      const found = problemAt(error) ?? unreachable('the answer was empty')
      if (found.code === 'SLUICE_CODE_NEEDED') setCodeNeeded(true)
      return setProblem(found.code === 'SLUICE_CODE_NEEDED' ? null : found)
    }
    signIn.accept(grantOf(data.signIn))
    router.history.push(to ?? '/')
  }

  return (
    <Door title="Sign in" about="With the email of your Sluice account.">
      {problem && <ProblemNote problem={problem} />}
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
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            required
          />
          {isCodeNeeded && <CodeInput />}
          <Button type="submit" loading={isBusy} fullWidth mt="xs">
            Sign in
          </Button>
        </Stack>
      </form>
      <OtherWays returnTo={to ?? '/'} onProblem={setProblem}>
        <PasskeyButton
          onProblem={setProblem}
          onSignedIn={(grant) => {
            signIn.accept(grant)
            router.history.push(to ?? '/')
          }}
        />
      </OtherWays>
      <Text size="sm">
        <Anchor
          renderRoot={(props) => <Link to="/sign-in/sso" search={to ? { to } : {}} {...props} />}
          underline="always"
        >
          Use single sign-on
        </Anchor>
      </Text>
      <Text size="sm">
        <Anchor
          renderRoot={(props) => <Link to="/forgot-password" {...props} />}
          underline="always"
        >
          Forgot your password?
        </Anchor>
      </Text>
      <Text size="sm">
        No account yet?{' '}
        <Anchor renderRoot={(props) => <Link to="/sign-up" {...props} />} underline="always">
          Sign up
        </Anchor>
      </Text>
    </Door>
  )
}
