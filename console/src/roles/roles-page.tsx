import { Button, Group, Stack, Table, Text } from '@mantine/core'
import { useState } from 'react'
import { useQuery } from 'urql'

import { RolesDocument } from '../gql/graphql.ts'
import type { RolesQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { roles as builtIn, useMay, usePlace } from '../shell/organization.ts'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { DeleteRole } from './delete-role.tsx'
import { EditRole } from './edit-role.tsx'

export type Permissions = RolesQuery['permissions']
export type CustomRole = NonNullable<RolesQuery['organization']>['roles'][number]

const builtInNames = ['OWNER', 'ADMIN', 'DEVELOPER', 'BILLING', 'VIEWER'] as const

/** Who may do what: the built-in roles beside those that the organization has made. */
export function RolesPage() {
  const { organization } = usePlace()
  const mayManage = useMay('roles.manage')
  const [answer, refetch] = useQuery({
    query: RolesDocument,
    variables: { organizationId: organization.id },
  })
  const [editing, setEditing] = useState<CustomRole | 'new' | null>(null)
  const [deleting, setDeleting] = useState<CustomRole | null>(null)
  const { data, error, fetching } = answer
  const seen = { data, error, fetching }
  const loaded = loadedOf(seen, {
    path: 'organization.roles',
    pick: ({ organization: found, permissions }) => found && { roles: found.roles, permissions },
  })
  const again = () => refetch({ requestPolicy: 'network-only' })
  const shown = loaded.kind === 'full' ? loaded.value : null

  return (
    <Page
      title="Roles"
      about="What each role may do. Make roles of your own where the built-in ones do not fit."
      isWide
      actions={mayManage && <Button onClick={() => setEditing('new')}>New role</Button>}
    >
      <Panel of={loaded} isFlush onRetry={again}>
        {({ roles, permissions }) => (
          <Stack gap={0}>
            {roles.length === 0 && (
              <Text size="sm" c="dimmed" className="panel-body">
                This organization has no role of its own yet.
              </Text>
            )}
            <Matrix
              roles={roles}
              permissions={permissions}
              mayManage={mayManage}
              onEdit={setEditing}
              onDelete={setDeleting}
            />
          </Stack>
        )}
      </Panel>
      {shown && editing && (
        <EditRole
          role={editing === 'new' ? null : editing}
          permissions={shown.permissions}
          onClose={() => setEditing(null)}
          onSaved={again}
        />
      )}
      {deleting && (
        <DeleteRole
          role={deleting}
          others={shown?.roles.filter(({ id }) => id !== deleting.id) ?? []}
          onClose={() => setDeleting(null)}
          onDeleted={again}
        />
      )}
    </Page>
  )
}

interface MatrixProps {
  readonly roles: readonly CustomRole[]
  readonly permissions: Permissions
  readonly mayManage: boolean
  readonly onEdit: (role: CustomRole) => void
  readonly onDelete: (role: CustomRole) => void
}

function Matrix({ roles, permissions, mayManage, onEdit, onDelete }: MatrixProps) {
  return (
    <div className="scroll">
      <Table aria-label="What each role may do" miw={760} stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Permission</Table.Th>
            {builtInNames.map((name) => (
              <Table.Th key={name} ta="center">
                {builtIn[name].label}
              </Table.Th>
            ))}
            {roles.map((role) => (
              <Table.Th key={role.id} ta="center">
                <Text size="sm" fw={600} title={role.description || undefined}>
                  {role.name}
                </Text>
                <Text size="xs" c="dimmed">
                  {role.memberCount === 1 ? '1 member' : `${role.memberCount} members`}
                </Text>
                {mayManage && (
                  <Group gap={4} justify="center" wrap="nowrap">
                    <Button
                      size="compact-xs"
                      variant="default"
                      aria-label={`Change the role ${role.name}`}
                      onClick={() => onEdit(role)}
                    >
                      Change
                    </Button>
                    <Button
                      size="compact-xs"
                      variant="default"
                      aria-label={`Delete the role ${role.name}`}
                      onClick={() => onDelete(role)}
                    >
                      Delete
                    </Button>
                  </Group>
                )}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {permissions.map(({ name, description, roles: holders }) => (
            <Table.Tr key={name}>
              <Table.Td>
                <Text size="sm">{description}</Text>
                <Text size="xs" c="dimmed" ff="monospace">
                  {name}
                </Text>
              </Table.Td>
              {builtInNames.map((role) => (
                <Cell key={role} isHeld={holders.includes(role)} />
              ))}
              {roles.map((role) => (
                <Cell key={role.id} isHeld={role.permissions.includes(name)} />
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function Cell({ isHeld }: { isHeld: boolean }) {
  return (
    <Table.Td ta="center">
      <span aria-hidden>{isHeld ? '✓' : '–'}</span>
      <span className="visually-hidden">{isHeld ? 'yes' : 'no'}</span>
    </Table.Td>
  )
}
