import { Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import { RequestPasswordResetDocument } from '../gql/graphql.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'

/** For who signs in by other ways only: a first password is set as a forgotten one is, by a link to their mailbox. */
export function NoPassword({ email }: { readonly email: string }) {
  const [isSent, setSent] = useState(false)
  const { run, isBusy, problem } = useAction(RequestPasswordResetDocument)
  const send = async () => {
    const { data } = await run({ email })
    if (data) setSent(true)
  }

  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text size="sm">You have none: you sign in another way.</Text>
        <Button variant="default" loading={isBusy} onClick={() => void send()}>
          Set a password
        </Button>
      </Group>
      {problem && <ProblemNote problem={problem} />}
      {isSent && (
        <Text size="sm" role="status">
          A mail is on its way to {email}. Its link is good for 30 minutes.
        </Text>
      )}
    </Stack>
  )
}
