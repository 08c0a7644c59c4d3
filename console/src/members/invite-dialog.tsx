import { Modal, Select, TextInput } from '@mantine/core'
import { useState } from 'react'

import { InviteMemberDocument } from '../gql/graphql.ts'
import { isRole, roles, usePlace } from '../shell/organization.ts'
import { ActionForm } from '../ui/action-form.tsx'
import { formText } from '../ui/form-text.ts'
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
  const action = useAction(InviteMemberDocument)
  const [choice, setChoice] = useState<string | null>('DEVELOPER')

  const close = () => {
    action.reset()
    setChoice('DEVELOPER')
    onClose()
  }
  const submit = async (form: HTMLFormElement) => {
    const email = formText(form, 'email')
    const role = roleOfChoice(choice)
    if (!role) return
    const { data } = await action.run({
      input: { organizationId: organization.id, email, ...role },
    })
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
      <ActionForm of={action} label="Send the invitation" onSubmit={submit}>
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
      </ActionForm>
    </Modal>
  )
}
