import { Button, Table } from '@mantine/core'
import { useQuery } from 'urql'

import { LiftNetworkBlockDocument, NetworkBlocksDocument } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { Empty } from '../ui/empty.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'

/** Networks whose sign-ins are refused for now. */
export function BlocksPage() {
  const [answer, refetch] = useQuery({ query: NetworkBlocksDocument })
  const lift = useAction(LiftNetworkBlockDocument)
  const again = () => refetch({ requestPolicy: 'network-only' })
  const list = loadedOf(
    { data: answer.data, error: answer.error, fetching: answer.fetching },
    {
      path: 'networkBlocks',
      pick: (data) => data.networkBlocks,
      isEmpty: (blocks) => blocks.length === 0,
    },
  )
  const end = async (network: string) => {
    await lift.run({ network })
    again()
  }
  return (
    <Page
      title="Blocked networks"
      about="Too many sign-ins from there failed. A block ends by itself, and each is twice as long as the last. Whoever has signed in from there before still can."
    >
      {lift.problem && <ProblemNote problem={lift.problem} />}
      <Panel
        of={list}
        isFlush
        onRetry={again}
        empty={<Empty title="None is blocked">That is how it should be.</Empty>}
      >
        {(blocks) => (
          <div className="scroll">
            <Table aria-label="Blocked networks" miw={480}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Network</Table.Th>
                  <Table.Th>Ends</Table.Th>
                  <Table.Th>Times lately</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {blocks.map(({ network, endsAt, strikes }) => (
                  <Table.Tr key={network}>
                    <Table.Td className="mono">{network}</Table.Td>
                    <Table.Td>
                      <Ago at={endsAt} />
                    </Table.Td>
                    <Table.Td>{strikes}</Table.Td>
                    <Table.Td ta="right">
                      <Button
                        variant="default"
                        size="xs"
                        onClick={() => void end(network)}
                        aria-label={`Lift the block of ${network}`}
                      >
                        Lift
                      </Button>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )}
      </Panel>
    </Page>
  )
}
