import { Table, Text } from '@mantine/core'

import { Ago } from '../ui/time.tsx'
import { StateWord } from '../ui/tone.tsx'
import type { ScimCall } from './scim-page.tsx'

/** What the identity provider asked last, and why it was refused. */
export function CallTable({ calls }: { calls: readonly ScimCall[] }) {
  return (
    <div className="scroll">
      <Table aria-label="Last requests" miw={720}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            <Table.Th>Token</Table.Th>
            <Table.Th>Request</Table.Th>
            <Table.Th>Answer</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {calls.map(({ id, at, tokenName, method, path, status, detail }) => (
            <Table.Tr key={id}>
              <Table.Td>
                <Ago at={at} />
              </Table.Td>
              <Table.Td>{tokenName}</Table.Td>
              <Table.Td className="mono">
                {method} {path}
              </Table.Td>
              <Table.Td>
                <StateWord tone={status < 400 ? 'good' : 'bad'}>{status}</StateWord>
                {detail && (
                  <Text size="xs" c="dimmed">
                    {detail}
                  </Text>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
