import { Badge, Button, Table, Text } from '@mantine/core'
import { useState } from 'react'

import { EndOtherSignInsDocument, EndSignInDocument } from '../gql/graphql.ts'
import type { AccountSecurityQuery } from '../gql/graphql.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'

type SignIn = AccountSecurityQuery['signIns'][number]

interface Props {
  readonly signIns: readonly SignIn[]
  readonly onChanged: () => void
}

export function SignIns({ signIns, onChanged }: Props) {
  const [ending, setEnding] = useState<SignIn | 'others' | null>(null)
  const one = useAction(EndSignInDocument)
  const others = useAction(EndOtherSignInsDocument)

  const end = async () => {
    if (ending === null) return null
    const { problem } =
      ending === 'others' ? await others.run({}) : await one.run({ id: ending.id })
    if (!problem) onChanged()
    return problem
  }

  return (
    <>
      <div className="scroll">
        <Table aria-label="Sign-ins" miw={640}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Device</Table.Th>
              <Table.Th>Address</Table.Th>
              <Table.Th>Started</Table.Th>
              <Table.Th>Last used</Table.Th>
              <Table.Th>
                <span className="visually-hidden">Actions</span>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {signIns.map((signIn) => (
              <Table.Tr key={signIn.id}>
                <Table.Td fw={600}>{signIn.device}</Table.Td>
                <Table.Td>
                  <span className="mono">{signIn.ip || '–'}</span>
                  {signIn.place && (
                    <Text size="xs" c="dimmed">
                      {signIn.place}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>
                  <Ago at={signIn.startedAt} />
                </Table.Td>
                <Table.Td>
                  <Ago at={signIn.lastUsedAt} />
                </Table.Td>
                <Table.Td ta="right">
                  {signIn.isCurrent ? (
                    <Badge data-quiet>This browser</Badge>
                  ) : (
                    <Button
                      variant="default"
                      size="xs"
                      onClick={() => setEnding(signIn)}
                      aria-label={`End the sign-in of ${signIn.device}`}
                    >
                      End
                    </Button>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {signIns.length > 1 && (
        <div className="panel-foot">
          <Button variant="default" size="xs" onClick={() => setEnding('others')}>
            End all others
          </Button>
        </div>
      )}
      <Confirm
        isOpen={ending !== null}
        title={
          ending === 'others' ? 'End all other sign-ins?' : `End the sign-in of ${ending?.device}?`
        }
        effect="Whoever uses it is signed out within seconds, and needs your password to come back."
        action={ending === 'others' ? 'End them' : 'End it'}
        onClose={() => setEnding(null)}
        onConfirm={end}
      />
    </>
  )
}
