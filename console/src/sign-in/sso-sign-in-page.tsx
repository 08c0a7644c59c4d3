import { Anchor, Button, Stack, Text, TextInput } from '@mantine/core'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { SsoOfferDocument } from '../gql/graphql.ts'
import { codeOf, problemAt } from '../graph/problem.ts'
import type { Problem } from '../graph/problem.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Door } from './door.tsx'
import { leaveFor } from './providers.ts'
import { useDoor } from './sign-in-context.ts'

const route = getRouteApi('/sign-in/sso')

/** Finds the identity provider of an address or an organization, and goes there. */
export function SsoSignInPage() {
  const { anonymous } = useDoor()
  const { to } = route.useSearch()
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const wanted = formText(event.currentTarget, 'wanted')
    setProblem(null)
    setBusy(true)
    const isAddress = wanted.includes('@')
    const { data, error } = await anonymous
      .query(
        SsoOfferDocument,
        {
          email: isAddress ? wanted : null,
          organization: isAddress ? null : wanted.toLowerCase(),
          returnTo: to ?? '/',
        },
        { requestPolicy: 'network-only' },
      )
      .toPromise()
    if (data?.ssoOffer) return leaveFor(data.ssoOffer.startPath)
    setBusy(false)
    setProblem(problemAt(error) ?? codeOf('SLUICE_SSO_NOT_FOUND', {}))
  }

  return (
    <Door title="Single sign-on" about="At the identity provider of your company.">
      {problem && <ProblemNote problem={problem} />}
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <TextInput
            label="Work email, or organization"
            name="wanted"
            autoComplete="username"
            description="The organization as its addresses name it, such as acme."
            required
            maxLength={254}
            autoFocus
          />
          <Button type="submit" loading={isBusy} fullWidth mt="xs">
            Continue
          </Button>
        </Stack>
      </form>
      <Text size="sm">
        <Anchor
          renderRoot={(props) => <Link to="/sign-in" search={to ? { to } : {}} {...props} />}
          underline="always"
        >
          Other ways to sign in
        </Anchor>
      </Text>
    </Door>
  )
}
