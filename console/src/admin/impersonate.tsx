import { Button, Checkbox, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'

import { StartImpersonationDocument } from '../gql/graphql.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import { enterAs } from './impersonation.ts'
import { reasonCharactersMax } from './suspend.tsx'

interface Props {
  readonly isOpen: boolean
  readonly user: { readonly id: string; readonly name: string }
  readonly onClose: () => void
}

/** Asks for what the customer will read, and goes on as them in this tab. */
export function Impersonate({ isOpen, user, onClose }: Props) {
  const [reason, setReason] = useState('')
  const [ticket, setTicket] = useState('')
  const [mayChange, setMayChange] = useState(false)
  const start = useAction(StartImpersonationDocument)

  const begin = async () => {
    const input = { userId: user.id, reason, ticket: ticket || null, mayChange }
    const { data } = await start.run({ input })
    if (!data) return
    const { accessToken, expiresAt, impersonation, user: as } = data.startImpersonation
    const { id: userId, name, email } = as
    const { id } = impersonation
    enterAs({ id, accessToken, expiresAt, userId, name, email, mayChange })
  }
  const close = () => {
    start.reset()
    onClose()
  }
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={`Act as ${user.name}?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void begin()
        }}
      >
        <Stack>
          <Text size="sm">
            You see what they see, in this tab and for a limited time. Their organizations find it
            in their audit log, with your name and the reason.
          </Text>
          <Textarea
            label="Reason"
            description="The customer reads it."
            value={reason}
            maxLength={reasonCharactersMax}
            onChange={(event) => setReason(event.currentTarget.value)}
            autosize
            minRows={2}
            required
            data-autofocus
          />
          <TextInput
            label="Ticket"
            description="Where they asked for it, if they did."
            value={ticket}
            maxLength={100}
            onChange={(event) => setTicket(event.currentTarget.value)}
          />
          <Checkbox
            label="Also change tunnels and domains"
            description="Nothing else can be changed in their place: no account, member, credential or payment."
            checked={mayChange}
            onChange={(event) => setMayChange(event.currentTarget.checked)}
          />
          {start.problem && <ProblemNote problem={start.problem} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={start.isBusy}>
              Act as {user.name}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
