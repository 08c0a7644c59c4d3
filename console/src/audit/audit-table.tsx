import { Anchor, Table, Text } from '@mantine/core'

import { Ago } from '../ui/time.tsx'
import type { Entry } from './audit-source.ts'

interface TableProps {
  readonly entries: readonly Entry[]
  readonly onFilter: (action: string) => void
}

export function AuditTable({ entries, onFilter }: TableProps) {
  return (
    <div className="scroll">
      <Table aria-label="Audit log" verticalSpacing={6} miw={960}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th ta="right">#</Table.Th>
            <Table.Th>When</Table.Th>
            <Table.Th>Action</Table.Th>
            <Table.Th>Who</Table.Th>
            <Table.Th>Target</Table.Th>
            <Table.Th>Details</Table.Th>
            <Table.Th>Address</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {entries.map((entry) => (
            <Table.Tr key={entry.id}>
              <Table.Td className="mono" ta="right" title="Its place in the chain">
                {entry.sequence ?? '…'}
              </Table.Td>
              <Table.Td>
                <Ago at={entry.at} />
              </Table.Td>
              <Table.Td>
                <Anchor
                  component="button"
                  type="button"
                  className="mono"
                  title="Show only this action"
                  onClick={() => onFilter(entry.action)}
                >
                  {entry.action}
                </Anchor>
              </Table.Td>
              <Table.Td className="whole">
                {entry.actor?.name ?? entry.actorName}
                {entry.actorKind !== 'user' && (
                  <Text size="xs" c="dimmed">
                    {entry.actorKind}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                {entry.targetType}
                {entry.targetId && (
                  <Text
                    size="xs"
                    c="dimmed"
                    className="mono"
                    truncate
                    maw={140}
                    title={entry.targetId}
                  >
                    {entry.targetId}
                  </Text>
                )}
              </Table.Td>
              <Table.Td className="mono" style={{ overflowWrap: 'anywhere' }}>
                {entry.details ?? '–'}
              </Table.Td>
              <Table.Td className="mono">{entry.ip ?? '–'}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
