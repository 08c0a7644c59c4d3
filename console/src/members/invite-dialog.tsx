import { Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { InviteMemberDocument } from '../gql/graphql.ts'
import { isRole, roles, usePlace } from '../shell/organization.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import { roleOfChoice } from './role-choice.ts'
import { useRoleChoices } from './use-role-choices.ts'

interface Props {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onInvited: () => void
}

export function InviteDialog({ isOpen, onClose, onInvited }: Props) {
  const { organization } = usePlace()
  const choices = useRoleChoices()
  const { run, isBusy, problem, reset } = useAction(InviteMemberDocument)
  const [choice, setChoice] = useState<string | null>('DEVELOPER')

  const close = () => {
    reset()
    setChoice('DEVELOPER')
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const email = formText(event.currentTarget, 'email')
    const role = roleOfChoice(choice)
    if (!role) return
    const { data } = await run({ input: { organizationId: organization.id, email, ...role } })
    if (!data) return
    onInvited()
    close()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title="Invite a member"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {problem && <ProblemNote problem={problem} />}
          <TextInput
            label="Email"
            description="A link to accept goes there. It needs no account yet."
            name="email"
            type="email"
            required
            data-autofocus
          />
          <Select
            label="Role"
            description={isRole(choice) ? roles[choice].may : 'A role of this organization.'}
            data={choices}
            value={choice}
            allowDeselect={false}
            onChange={setChoice}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={isBusy}>
              Send the invitation
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
