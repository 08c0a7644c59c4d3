import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { ChangeEmailDocument, SendEmailVerificationDocument } from '../gql/graphql.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { StateWord } from '../ui/tone.tsx'
import { useAction } from '../ui/use-action.ts'

interface Props {
  readonly account: { readonly email: string; readonly emailVerifiedAt?: string | null }
}

export function EmailSettings({ account }: Props) {
  const { email, emailVerifiedAt } = account
  const [isChanging, changing] = useDisclosure(false)
  const [sentTo, setSentTo] = useState<string | null>(null)
  const verification = useAction(SendEmailVerificationDocument)

  const sendAgain = async () => {
    const { data } = await verification.run({})
    if (data) setSentTo(email)
  }

  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-start">
        <div>
          <Text size="sm" fw={600}>
            {email}
          </Text>
          {emailVerifiedAt ? (
            <StateWord tone="good">Confirmed</StateWord>
          ) : (
            <StateWord tone="warn">Not confirmed: open the link in the mail we sent</StateWord>
          )}
        </div>
        <Group gap="xs">
          {!emailVerifiedAt && (
            <Button
              variant="default"
              loading={verification.isBusy}
              onClick={() => void sendAgain()}
            >
              Send the mail again
            </Button>
          )}
          <Button variant="default" onClick={changing.open}>
            Change the address
          </Button>
        </Group>
      </Group>
      {verification.problem && <ProblemNote problem={verification.problem} />}
      {sentTo && (
        <Text size="sm" role="status">
          A mail is on its way to {sentTo}. Its link is good for 24 hours.
        </Text>
      )}
      <ChangeDialog isOpen={isChanging} onClose={changing.close} onSent={setSentTo} />
    </Stack>
  )
}

interface DialogProps {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onSent: (email: string) => void
}

function ChangeDialog({ isOpen, onClose, onSent }: DialogProps) {
  const { run, isBusy, problem, reset } = useAction(ChangeEmailDocument)

  const close = () => {
    reset()
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const email = formText(event.currentTarget, 'email')
    const { data } = await run({ email })
    if (!data) return
    onSent(email)
    close()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title="Change the address"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {problem && <ProblemNote problem={problem} />}
          <TextInput
            label="New email"
            description="It takes over when you open the link in the mail that goes there. The present address is told."
            name="email"
            type="email"
            autoComplete="email"
            required
            data-autofocus
          />
          <Group justify="flex-end">
            <Button type="submit" loading={isBusy}>
              Send the link
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
