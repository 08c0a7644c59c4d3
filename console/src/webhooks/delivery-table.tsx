import { Button, Stack, Table, Text } from '@mantine/core'
import { Fragment, useState } from 'react'

import { ReplayWebhookDeliveryDocument } from '../gql/graphql.ts'
import type { WebhookDeliveriesQuery } from '../gql/graphql.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { StateWord } from '../ui/tone.tsx'
import { useAction } from '../ui/use-action.ts'

type Delivery = NonNullable<
  WebhookDeliveriesQuery['webhookEndpoint']
>['deliveries']['nodes'][number]

const states = {
  PENDING: { word: 'Under way', tone: 'notice' },
  HELD: { word: 'Held: suspended', tone: 'notice' },
  DELIVERED: { word: 'Delivered', tone: 'good' },
  FAILED: { word: 'Failed', tone: 'bad' },
} as const

interface Props {
  readonly deliveries: readonly Delivery[]
  readonly mayReplay: boolean
  readonly onReplayed: () => void
}

/** What was sent to an endpoint, and how it answered. */
export function DeliveryTable({ deliveries, mayReplay, onReplayed }: Props) {
  const [open, setOpen] = useState<string | null>(null)
  const replay = useAction(ReplayWebhookDeliveryDocument)
  const again = async (id: string) => {
    const { data } = await replay.run({ id })
    if (data) onReplayed()
  }
  return (
    <div className="scroll">
      {replay.problem && <ProblemNote problem={replay.problem} />}
      <Table aria-label="Deliveries" miw={720}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            <Table.Th>Event</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Last answer</Table.Th>
            <Table.Th>
              <span className="visually-hidden">Actions</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {deliveries.map((delivery) => {
            const isOpen = open === delivery.id
            return (
              <Fragment key={delivery.id}>
                <Table.Tr>
                  <Table.Td>
                    <Ago at={delivery.createdAt} />
                  </Table.Td>
                  <Table.Td className="mono">{delivery.event}</Table.Td>
                  <Table.Td>
                    <StateWord tone={states[delivery.state].tone}>
                      {states[delivery.state].word}
                    </StateWord>
                  </Table.Td>
                  <Table.Td>
                    <LastAnswer delivery={delivery} />
                  </Table.Td>
                  <Table.Td ta="right">
                    <Button.Group style={{ justifyContent: 'flex-end' }}>
                      <Button
                        variant="default"
                        size="xs"
                        aria-expanded={isOpen}
                        aria-label={`Details of ${delivery.messageId}`}
                        onClick={() => setOpen(isOpen ? null : delivery.id)}
                      >
                        Details
                      </Button>
                      {mayReplay && (
                        <Button
                          variant="default"
                          size="xs"
                          disabled={replay.isBusy}
                          aria-label={`Replay ${delivery.messageId}`}
                          onClick={() => void again(delivery.id)}
                        >
                          Replay
                        </Button>
                      )}
                    </Button.Group>
                  </Table.Td>
                </Table.Tr>
                {isOpen && (
                  <Table.Tr>
                    <Table.Td colSpan={5}>
                      <Details delivery={delivery} />
                    </Table.Td>
                  </Table.Tr>
                )}
              </Fragment>
            )
          })}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function LastAnswer({ delivery: { attempts, nextAttemptAt } }: { delivery: Delivery }) {
  const last = attempts.at(-1)
  if (!last) return <Text size="sm">not tried yet</Text>
  return (
    <Text size="sm">
      {last.status ?? 'none'} in {last.durationMs} ms
      {attempts.length > 1 && `, attempt ${attempts.length}`}
      {nextAttemptAt && (
        <>
          , next <Ago at={nextAttemptAt} />
        </>
      )}
    </Text>
  )
}

function Details({ delivery: { messageId, payload, attempts } }: { delivery: Delivery }) {
  return (
    <Stack gap="xs" py="xs">
      <Text size="xs" c="dimmed" className="mono">
        {messageId}
      </Text>
      <pre className="mono" style={{ margin: 0, whiteSpace: 'pre-wrap', wordBreak: 'break-all' }}>
        {JSON.stringify(JSON.parse(payload), null, 2)}
      </pre>
      {attempts.map(({ at, status, durationMs, error, response }) => (
        <Text size="sm" key={at}>
          <Ago at={at} />: {status ?? error} in {durationMs} ms
          {response && (
            <Text span c="dimmed" className="mono" size="xs">
              {' '}
              {response}
            </Text>
          )}
        </Text>
      ))}
    </Stack>
  )
}
