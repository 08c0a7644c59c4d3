import { Button, Checkbox, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { CreateRoleDocument, UpdateRoleDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
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

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
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
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {problem && <ProblemNote problem={problem} />}
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
          <Group justify="flex-end">
            <Button type="submit" loading={create.isBusy || update.isBusy}>
              {role ? 'Save for everybody who has it' : 'Make the role'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
