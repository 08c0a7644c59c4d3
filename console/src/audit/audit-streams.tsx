import { Button, Group, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import { useQuery } from 'urql'

import {
  AuditStreamsDocument,
  DeleteAuditStreamDocument,
  SwitchAuditStreamDocument,
} from '../gql/graphql.ts'
import type { AuditStreamsQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePlace } from '../shell/organization.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Empty } from '../ui/empty.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { StateWord } from '../ui/tone.tsx'
import { useAction } from '../ui/use-action.ts'
import { CreateStream } from './create-stream.tsx'

type Stream = NonNullable<AuditStreamsQuery['organization']>['auditStreams'][number]

const states = {
  DELIVERING: { tone: 'good', word: 'Delivering' },
  FAILING: { tone: 'bad', word: 'Failing' },
  OFF: { tone: 'none', word: 'Off' },
} as const

/** Where the audit is sent as it grows. */
export function AuditStreams() {
  const { organization } = usePlace()
  const [isCreating, creating] = useDisclosure(false)
  const [deleting, setDeleting] = useState<Stream | null>(null)
  const remove = useAction(DeleteAuditStreamDocument)
  const turn = useAction(SwitchAuditStreamDocument)
  const [{ data, error, fetching }, ask] = useQuery({
    query: AuditStreamsDocument,
    variables: { organizationId: organization.id },
  })
  const refetch = () => ask({ requestPolicy: 'network-only' })
  const switchStream = async ({ id, state }: Stream) => {
    const { problem } = await turn.run({ id, isOn: state === 'OFF' })
    if (!problem) refetch()
  }
  const list = loadedOf(
    { data, error, fetching },
    {
      path: 'organization.auditStreams',
      pick: ({ organization: found }) => found?.auditStreams,
      isEmpty: (streams) => streams.length === 0,
    },
  )

  return (
    <>
      <Panel
        title="Streams"
        of={list}
        isFlush
        onRetry={refetch}
        actions={
          <Button size="xs" onClick={creating.open}>
            Add a stream
          </Button>
        }
        empty={
          <Empty title="The audit is sent nowhere yet">
            <Text size="sm" c="dimmed">
              Have every entry posted to a webhook, or put into a bucket of your own, as it is
              written.
            </Text>
          </Empty>
        }
      >
        {(streams) => (
          <>
            {turn.problem && <ProblemNote problem={turn.problem} />}
            <StreamTable
              streams={streams}
              onDelete={setDeleting}
              onSwitch={(stream) => void switchStream(stream)}
            />
          </>
        )}
      </Panel>
      <CreateStream isOpen={isCreating} onClose={creating.close} onCreated={refetch} />
      <Confirm
        isOpen={deleting !== null}
        title={`Delete ${deleting?.name}?`}
        effect="Nothing more is sent there. What has arrived stays where it is."
        action="Delete the stream"
        onClose={() => setDeleting(null)}
        onConfirm={async () => {
          if (!deleting) return null
          const { problem } = await remove.run({ id: deleting.id })
          if (!problem) refetch()
          return problem
        }}
      />
    </>
  )
}

interface TableProps {
  readonly streams: readonly Stream[]
  readonly onSwitch: (stream: Stream) => void
  readonly onDelete: (stream: Stream) => void
}

function StreamTable({ streams, onSwitch, onDelete }: TableProps) {
  return (
    <div className="scroll">
      <Table aria-label="Streams" miw={820}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Where to</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th ta="right">To arrive</Table.Th>
            <Table.Th>Last delivery</Table.Th>
            <Table.Th>
              <span className="visually-hidden">Actions</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {streams.map((stream) => (
            <Table.Tr key={stream.id}>
              <Table.Td fw={600}>{stream.name}</Table.Td>
              <Table.Td className="mono" style={{ overflowWrap: 'anywhere' }}>
                {stream.url}
              </Table.Td>
              <Table.Td>
                <StateWord tone={states[stream.state].tone}>{states[stream.state].word}</StateWord>
                {stream.lastError && (
                  <Text size="xs" c="dimmed">
                    {stream.lastError}; again <Ago at={stream.nextAt} />
                  </Text>
                )}
              </Table.Td>
              <Table.Td ta="right">{stream.lag}</Table.Td>
              <Table.Td>{stream.deliveredAt ? <Ago at={stream.deliveredAt} /> : 'Never'}</Table.Td>
              <Table.Td>
                <Group gap="xs" justify="flex-end" wrap="nowrap">
                  <Button
                    variant="default"
                    size="xs"
                    aria-label={`Switch ${stream.state === 'OFF' ? 'on' : 'off'} ${stream.name}`}
                    onClick={() => onSwitch(stream)}
                  >
                    {stream.state === 'OFF' ? 'Switch on' : 'Switch off'}
                  </Button>
                  <Button
                    variant="default"
                    size="xs"
                    aria-label={`Delete ${stream.name}`}
                    onClick={() => onDelete(stream)}
                  >
                    Delete
                  </Button>
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
