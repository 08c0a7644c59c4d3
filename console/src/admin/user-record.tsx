import { Stack, Table, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'

import type { AdminUserQuery } from '../gql/graphql.ts'
import { Empty } from '../ui/empty.tsx'
import { Panel } from '../ui/panel.tsx'
import { Ago } from '../ui/time.tsx'
import { SuspensionWord } from './users-page.tsx'

type User = AdminUserQuery['staffUser']

/** Where somebody is a member, from where they sign in, and what was done to them. */
export function UserRecord({ user }: { user: User }) {
  return (
    <Stack mt="md">
      <Listed title="Organizations" rows={user.places} none="In no organization">
        <Places places={user.places} />
      </Listed>
      <Listed title="Sign-ins" rows={user.signIns} none="Never signed in">
        <SignIns signIns={user.signIns} />
      </Listed>
      <Listed title="Impersonations" rows={user.impersonations} none="Nobody acted as them">
        <Impersonations impersonations={user.impersonations} />
      </Listed>
      <Listed title="History" rows={user.history} none="Nothing was recorded">
        <History history={user.history} />
      </Listed>
    </Stack>
  )
}

interface ListedProps {
  readonly title: string
  readonly rows: readonly unknown[]
  readonly none: string
  readonly children: ReactNode
}

function Listed({ title, rows, none, children }: ListedProps) {
  const of = rows.length > 0 ? { kind: 'full' as const, value: null } : { kind: 'empty' as const }
  return (
    <Panel title={title} of={of} isFlush empty={<Empty title={none} />}>
      {() => <div className="scroll">{children}</div>}
    </Panel>
  )
}

function Places({ places }: Pick<User, 'places'>) {
  return (
    <Table aria-label="Organizations of this user" miw={480}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Organization</Table.Th>
          <Table.Th>Role</Table.Th>
          <Table.Th>State</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {places.map(({ organization, role }) => (
          <Table.Tr key={organization.id}>
            <Table.Td>
              <Link
                to="/admin/organizations/$organizationId"
                params={{ organizationId: organization.id }}
              >
                {organization.name}
              </Link>
            </Table.Td>
            <Table.Td>{role.toLowerCase()}</Table.Td>
            <Table.Td>
              <SuspensionWord of={organization} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function SignIns({ signIns }: Pick<User, 'signIns'>) {
  return (
    <Table aria-label="Sign-ins of this user" miw={640}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Device</Table.Th>
          <Table.Th>Address</Table.Th>
          <Table.Th>Started</Table.Th>
          <Table.Th>Last used</Table.Th>
          <Table.Th>Ended</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {signIns.map(({ id, device, ip, place, startedAt, lastUsedAt, endedAt }) => (
          <Table.Tr key={id}>
            <Table.Td>{device}</Table.Td>
            <Table.Td>
              <span className="mono">{ip || '–'}</span>
              {place && (
                <Text size="xs" c="dimmed">
                  {place}
                </Text>
              )}
            </Table.Td>
            <Table.Td>
              <Ago at={startedAt} />
            </Table.Td>
            <Table.Td>
              <Ago at={lastUsedAt} />
            </Table.Td>
            <Table.Td>{endedAt ? <Ago at={endedAt} /> : '–'}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function Impersonations({ impersonations }: Pick<User, 'impersonations'>) {
  return (
    <Table aria-label="Impersonations of this user" miw={640}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Staff</Table.Th>
          <Table.Th>Reason</Table.Th>
          <Table.Th>Could change</Table.Th>
          <Table.Th>Began</Table.Th>
          <Table.Th>Ends</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {impersonations.map(({ id, staff, reason, ticket, mayChange, startedAt, endedAt }) => (
          <Table.Tr key={id}>
            <Table.Td>{staff?.name ?? 'Somebody who has left'}</Table.Td>
            <Table.Td className="whole">
              {reason}
              {ticket && (
                <Text size="xs" c="dimmed">
                  {ticket}
                </Text>
              )}
            </Table.Td>
            <Table.Td>{mayChange ? 'Yes' : 'No'}</Table.Td>
            <Table.Td>
              <Ago at={startedAt} />
            </Table.Td>
            <Table.Td>
              <Ago at={endedAt} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function History({ history }: Pick<User, 'history'>) {
  return (
    <Table aria-label="What was done to this user" miw={720}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>When</Table.Th>
          <Table.Th>Action</Table.Th>
          <Table.Th>Who</Table.Th>
          <Table.Th>Details</Table.Th>
          <Table.Th>Address</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {history.map(({ id, at, action, actorName, details, ip }) => (
          <Table.Tr key={id}>
            <Table.Td>
              <Ago at={at} />
            </Table.Td>
            <Table.Td className="mono">{action}</Table.Td>
            <Table.Td className="whole">{actorName}</Table.Td>
            <Table.Td className="whole">{details ?? '–'}</Table.Td>
            <Table.Td className="mono">{ip ?? '–'}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
