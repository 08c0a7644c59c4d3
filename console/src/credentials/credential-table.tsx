import { Button, Group, Table, Text } from '@mantine/core'
import type { ReactNode } from 'react'

import { Ago } from '../ui/time.tsx'
import { GoodFor, isGood, LastUsed } from './cells.tsx'

/** A row of either kind, as far as both are the same. */
export interface Credential {
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly createdAt: string
  readonly createdBy: { readonly name: string } | null
  readonly serviceAccount: { readonly name: string } | null
  readonly expiresAt: string | null
  readonly allowedIps: readonly string[]
  readonly lastUsedAt: string | null
  readonly lastUsedIp: string | null
  readonly revokedAt: string | null
  readonly successorId: string | null
}

export type Act = 'change' | 'rotate' | 'revoke'

interface Props<Row extends Credential> {
  readonly label: string
  readonly rows: readonly Row[]
  readonly scope: { readonly heading: string; readonly of: (row: Row) => ReactNode }
  readonly makerNote?: ((row: Row) => ReactNode) | undefined
  /** Null for those who may only look. */
  readonly onAct: ((act: Act, row: Row) => void) | null
}

export function CredentialTable<Row extends Credential>(props: Props<Row>) {
  const { label, rows, scope, makerNote, onAct } = props
  return (
    <div className="scroll">
      <Table aria-label={label} miw={940}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Begins with</Table.Th>
            <Table.Th>{scope.heading}</Table.Th>
            <Table.Th>Created</Table.Th>
            <Table.Th>Last used</Table.Th>
            <Table.Th>Good until, from</Table.Th>
            <Table.Th>
              <span className="visually-hidden">Actions</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.id}>
              <Table.Td fw={600}>{row.name}</Table.Td>
              <Table.Td className="mono">{row.prefix}…</Table.Td>
              <Table.Td>{scope.of(row)}</Table.Td>
              <Table.Td>
                <Ago at={row.createdAt} />
                {row.createdBy && ` by ${row.createdBy.name}`}
                {row.serviceAccount && (
                  <Text size="xs" c="dimmed">
                    for {row.serviceAccount.name}
                  </Text>
                )}
                {makerNote?.(row)}
              </Table.Td>
              <Table.Td>
                <LastUsed {...row} />
              </Table.Td>
              <Table.Td>
                <GoodFor {...row} />
              </Table.Td>
              <Table.Td ta="right">
                {isGood(row) && onAct && <Actions row={row} onAct={onAct} />}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

const actions: readonly { act: Act; label: string }[] = [
  { act: 'change', label: 'Change' },
  { act: 'rotate', label: 'Rotate' },
  { act: 'revoke', label: 'Revoke' },
]

interface ActionsProps<Row extends Credential> {
  readonly row: Row
  readonly onAct: (act: Act, row: Row) => void
}

function Actions<Row extends Credential>({ row, onAct }: ActionsProps<Row>) {
  const possible = actions.filter(({ act }) => act !== 'rotate' || !row.successorId)
  return (
    <Group gap="xs" justify="flex-end" wrap="nowrap">
      {possible.map(({ act, label }) => (
        <Button
          key={act}
          variant="default"
          size="xs"
          onClick={() => onAct(act, row)}
          aria-label={`${label} ${row.name}`}
        >
          {label}
        </Button>
      ))}
    </Group>
  )
}
