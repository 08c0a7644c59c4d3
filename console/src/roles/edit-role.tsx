import { Checkbox, Modal, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'

import { CreateRoleDocument, UpdateRoleDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { ActionForm } from '../ui/action-form.tsx'
import { formText } from '../ui/form-text.ts'
import { useAction } from '../ui/use-action.ts'
import type { CustomRole, Permissions } from './roles-page.tsx'

interface Props {
  /** Null for a new one. */
  readonly role: CustomRole | null
  readonly permissions: Permissions
  readonly onClose: () => void
  readonly onSaved: () => void
}

export function EditRole({ role, permissions, onClose, onSaved }: Props) {
  const { organization } = usePlace()
  const create = useAction(CreateRoleDocument)
  const update = useAction(UpdateRoleDocument)
  const [chosen, setChosen] = useState<string[]>(role ? [...role.permissions] : [])
  const problem = create.problem ?? update.problem

  const submit = async (form: HTMLFormElement) => {
    const wanted = {
      name: formText(form, 'name'),
      description: formText(form, 'description'),
      permissions: chosen,
    }
    const { data } = role
      ? await update.run({ input: { roleId: role.id, ...wanted } })
      : await create.run({ input: { organizationId: organization.id, ...wanted } })
    if (!data) return
    onSaved()
    onClose()
  }

  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={role ? `Change ${role.name}` : 'New role'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <ActionForm
        of={{ isBusy: create.isBusy || update.isBusy, problem }}
        label={role ? 'Save for everybody who has it' : 'Make the role'}
        onSubmit={submit}
      >
        <TextInput
          label="Name"
          name="name"
          defaultValue={role?.name}
          maxLength={60}
          required
          data-autofocus
        />
        <TextInput
          label="Description"
          name="description"
          defaultValue={role?.description}
          maxLength={200}
        />
        <Checkbox.Group
          label="May"
          description="Only what you may do yourself can be given."
          value={chosen}
          onChange={setChosen}
        >
          <Stack gap={6} mt="xs">
            {permissions
              .filter(({ isForOwnersOnly }) => !isForOwnersOnly)
              .map(({ name, description }) => (
                <Checkbox
                  key={name}
                  value={name}
                  label={description}
                  disabled={!organization.viewerPermissions.includes(name)}
                />
              ))}
          </Stack>
        </Checkbox.Group>
      </ActionForm>
    </Modal>
  )
}
