import { Anchor, Button, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { ConfirmEmailDocument } from '../gql/graphql.ts'
import type { Problem } from '../graph/problem.ts'
import { problemAt, unreachable } from '../graph/problem.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Door } from './door.tsx'
import { useLinkToken } from './link-token.ts'
import { useDoor } from './sign-in-context.ts'

/** Where the link of a mail leads. A button, because programs that look into mails open links as well. */
export function ConfirmEmailPage() {
  const { anonymous } = useDoor()
  const token = useLinkToken()
  const [isBusy, setBusy] = useState(false)
  const [email, setEmail] = useState<string | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)

  const confirm = async () => {
    setBusy(true)
    setProblem(null)
    const { data, error } = await anonymous.mutation(ConfirmEmailDocument, { token }).toPromise()
    setBusy(false)
    if (data) setEmail(data.confirmEmail)
    else setProblem(problemAt(error) ?? unreachable('the answer was empty'))
  }

  return (
    <Door title="Confirm your address" about="So that mail of your account reaches you.">
      {problem && <ProblemNote problem={problem} />}
      {email === null ? (
        <Button onClick={() => void confirm()} loading={isBusy} fullWidth autoFocus>
          Confirm the address
        </Button>
      ) : (
        <Text size="sm" role="status">
          {email} is confirmed.
        </Text>
      )}
      <Text size="sm">
        <Anchor renderRoot={(props) => <Link to="/" {...props} />} underline="always">
          Go to the console
        </Anchor>
      </Text>
    </Door>
  )
}
