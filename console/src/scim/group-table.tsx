import { Select, Table } from '@mantine/core'
import { useQuery } from 'urql'

import { MapScimGroupDocument, RoleChoicesDocument } from '../gql/graphql.ts'
import { isRole, roleChoices, usePlace } from '../shell/organization.ts'
import { useAction } from '../ui/use-action.ts'
import type { ScimGroup } from './scim-page.tsx'

interface Props {
  readonly groups: readonly ScimGroup[]
  readonly onChanged: () => void
}

/** Which role the people of each group have. Of several the one that may do most counts. */
export function GroupTable({ groups, onChanged }: Props) {
  const { organization } = usePlace()
  const [{ data }] = useQuery({
    query: RoleChoicesDocument,
    variables: { organizationId: organization.id },
  })
  const choices = [
    { value: noRole, label: 'No role' },
    // Nobody becomes an owner by a group.
    ...roleChoices.filter(({ value }) => value !== 'OWNER'),
    ...(data?.organization?.roles ?? []).map(({ id, name }) => ({ value: id, label: name })),
  ]

  return (
    <div className="scroll">
      <Table aria-label="Groups" miw={480}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Group</Table.Th>
            <Table.Th>People</Table.Th>
            <Table.Th w={220}>Role</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {groups.map((group) => (
            <Table.Tr key={group.id}>
              <Table.Td fw={600}>{group.name}</Table.Td>
              <Table.Td>{group.members}</Table.Td>
              <Table.Td>
                <RoleOf group={group} choices={choices} onChanged={onChanged} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

const noRole = 'none'

interface RoleProps {
  readonly group: ScimGroup
  readonly choices: { value: string; label: string }[]
  readonly onChanged: () => void
}

function RoleOf({ group, choices, onChanged }: RoleProps) {
  const { run, isBusy, problem } = useAction(MapScimGroupDocument)
  const change = async (choice: string | null) => {
    if (!choice) return
    const given = isRole(choice)
      ? { role: choice, customRoleId: null }
      : { role: null, customRoleId: choice === noRole ? null : choice }
    const { data } = await run({ input: { groupId: group.id, ...given } })
    if (data) onChanged()
  }
  return (
    <Select
      size="xs"
      aria-label={`Role of ${group.name}`}
      data={choices}
      value={group.customRole?.id ?? group.role ?? noRole}
      disabled={isBusy}
      allowDeselect={false}
      error={problem?.title}
      onChange={(choice) => void change(choice)}
    />
  )
}
