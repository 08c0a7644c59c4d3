import { Button, Group, Stack, Table, Text } from '@mantine/core'
import { useQuery } from 'urql'

import { loadedOf } from '../graph/loaded.ts'
import { saveText } from '../ui/download.ts'
import { Empty } from '../ui/empty.tsx'
import { Panel } from '../ui/panel.tsx'
import { Ago, dayOf } from '../ui/time.tsx'
import { headsOf, useAudit } from './audit-source.ts'
import { VerifyAudit } from './verify-audit.tsx'

/** Verifying, and the signed heads to keep elsewhere. */
export function AuditProof() {
  const source = useAudit()
  const [{ data, error, fetching }, refetch] = useQuery({
    query: source.heads,
    variables: source.variables,
  })
  const heads = loadedOf(
    { data, error, fetching },
    {
      path: `${source.path}.auditSignedHeads`,
      pick: (found) => headsOf(found)?.auditSignedHeads,
      isEmpty: (list) => list.length === 0,
    },
  )
  const keys = data && headsOf(data)?.auditHeadKeys

  return (
    <Stack>
      <Panel title="Integrity" of={{ kind: 'full', value: null }}>
        {() => <VerifyAudit />}
      </Panel>
      <Panel
        title="Signed heads"
        of={heads}
        isFlush
        onRetry={() => refetch({ requestPolicy: 'network-only' })}
        actions={
          keys && (
            <Button variant="default" size="xs" onClick={() => saveText(keys, 'jwks.json')}>
              Download the public keys
            </Button>
          )
        }
        empty={
          <Empty title="Nothing was signed yet">
            <Text size="sm" c="dimmed">
              Once a day the end of the chain is signed. Keep heads elsewhere: with one, anybody can
              prove that no entry before it was changed.
            </Text>
          </Empty>
        }
      >
        {(list) => (
          <div className="scroll">
            <Table aria-label="Signed heads" miw={720}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Signed</Table.Th>
                  <Table.Th ta="right">Up to entry</Table.Th>
                  <Table.Th>Hash</Table.Th>
                  <Table.Th>Exported as</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {list.map(({ sequence, hash, at, jws, objectKey }) => (
                  <Table.Tr key={sequence}>
                    <Table.Td>
                      <Ago at={at} />
                    </Table.Td>
                    <Table.Td ta="right">{sequence}</Table.Td>
                    <Table.Td className="mono" title={hash}>
                      {hash.slice(0, 16)}…
                    </Table.Td>
                    <Table.Td className="mono" style={{ overflowWrap: 'anywhere' }}>
                      {objectKey ?? '–'}
                    </Table.Td>
                    <Table.Td ta="right">
                      <Group justify="flex-end">
                        {jws && (
                          <Button
                            variant="default"
                            size="xs"
                            aria-label={`Download the head of ${dayOf(at)}`}
                            onClick={() => saveText(jws, `${at.slice(0, 10)}.jws`)}
                          >
                            Download
                          </Button>
                        )}
                      </Group>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )}
      </Panel>
    </Stack>
  )
}
