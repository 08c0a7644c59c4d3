import { Button, Group, Modal, Select, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import { DeleteRoleDocument } from '../gql/graphql.ts'
import { choicesOf, roleOfChoice } from '../members/role-choice.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import type { CustomRole } from './roles-page.tsx'

interface Props {
  readonly role: CustomRole
  readonly others: readonly CustomRole[]
  readonly onClose: () => void
  readonly onDeleted: () => void
}

export function DeleteRole({ role, others, onClose, onDeleted }: Props) {
  const { run, isBusy, problem } = useAction(DeleteRoleDocument)
  const [choice, setChoice] = useState<string | null>('VIEWER')

  const confirm = async () => {
    const { data } = await run({ input: { roleId: role.id, ...roleOfChoice(choice) } })
    if (!data) return
    onDeleted()
    onClose()
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={`Delete the role ${role.name}?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        <Text size="sm">Whoever has it, or is invited to it, gets another role at once.</Text>
        {problem && <ProblemNote problem={problem} />}
        <Select
          label="They get"
          data={choicesOf(others)}
          value={choice}
          allowDeselect={false}
          onChange={setChoice}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep it
          </Button>
          <Button color="red.8" loading={isBusy} onClick={() => void confirm()}>
            Delete the role
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
