import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'

import { CreateScimTokenDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { ActionForm } from '../ui/action-form.tsx'
import { formText } from '../ui/form-text.ts'
import { useAction } from '../ui/use-action.ts'
import { ShownToken } from './shown-token.tsx'

interface Props {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onCreated: () => void
}

/** Makes a token, and shows it this once. */
export function CreateToken({ isOpen, onClose, onCreated }: Props) {
  const { organization } = usePlace()
  const action = useAction(CreateScimTokenDocument)
  const [secret, setSecret] = useState<string | null>(null)

  const close = () => {
    setSecret(null)
    action.reset()
    onClose()
  }
  const submit = async (form: HTMLFormElement) => {
    const name = formText(form, 'name')
    const { data } = await action.run({ input: { organizationId: organization.id, name } })
    if (!data) return
    setSecret(data.createScimToken.secret)
    onCreated()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      // A click beside the dialog must not throw away what is shown only once.
      closeOnClickOutside={secret === null}
      size="lg"
      title={secret ? 'Your SCIM token' : 'Create a SCIM token'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {secret ? (
        <Stack>
          <ShownToken secret={secret} />
          <Group justify="flex-end">
            <Button onClick={close}>I have copied it</Button>
          </Group>
        </Stack>
      ) : (
        <ActionForm of={action} label="Create" onSubmit={submit}>
          <TextInput
            label="Name"
            name="name"
            description="Which identity provider has it: Okta, Entra ID."
            required
            maxLength={100}
            data-autofocus
          />
        </ActionForm>
      )}
    </Modal>
  )
}
