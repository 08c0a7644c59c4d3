import { Button, Group, Table, Text } from '@mantine/core'
import { useState } from 'react'
import { useQuery } from 'urql'

import {
  KeyRotationsDocument,
  RotateInternalKeysDocument,
  RotateSigningKeysDocument,
} from '../gql/graphql.ts'
import type { KeyRotationsQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Empty } from '../ui/empty.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'

type Rotation = NonNullable<KeyRotationsQuery['signingKeyRotations']>[number]

/** What staff may ask for, and what it does to whom. */
const asked = {
  'signing-keys': {
    title: 'Rotate the signing keys?',
    effect:
      'A new key is made now, and signs sign-ins and agent tokens in ten minutes, once everybody has read it. Nobody is signed out: what the old one signed stays good until it ends.',
    action: 'Rotate the signing keys',
  },
  'gateway-keys': {
    title: 'Rotate the keys of gateways?',
    effect:
      'Every gateway makes a new key within seconds. In two minutes the old ones are refused. Nobody notices.',
    action: 'Rotate the keys of gateways',
  },
} as const

/** The latest rotations of the platform's own keys. */
export function KeysPage() {
  const [answer, refetch] = useQuery({ query: KeyRotationsDocument })
  const signing = useAction(RotateSigningKeysDocument)
  const internal = useAction(RotateInternalKeysDocument)
  const [asking, setAsking] = useState<keyof typeof asked>('signing-keys')
  const [isOpen, setOpen] = useState(false)
  const again = () => refetch({ requestPolicy: 'network-only' })
  const list = loadedOf(
    { data: answer.data, error: answer.error, fetching: answer.fetching },
    {
      path: 'signingKeyRotations',
      pick: (data) => data.signingKeyRotations,
      isEmpty: (rotations) => rotations.length === 0,
    },
  )
  const ask = (what: keyof typeof asked) => {
    setAsking(what)
    setOpen(true)
  }
  return (
    <Page
      title="Keys"
      about="Keys that sign sign-ins and agent tokens, and keys by which gateways are known, are made anew by themselves. When one may be known to somebody, do it now."
      actions={
        <Group gap="xs">
          <Button variant="default" onClick={() => ask('gateway-keys')}>
            Rotate the keys of gateways …
          </Button>
          <Button onClick={() => ask('signing-keys')}>Rotate the signing keys …</Button>
        </Group>
      }
    >
      <Panel
        of={list}
        isFlush
        onRetry={again}
        empty={<Empty title="None was rotated yet">The first keys are still good.</Empty>}
      >
        {(rotations) => <RotationTable rotations={rotations} />}
      </Panel>
      <Confirm
        isOpen={isOpen}
        {...asked[asking]}
        onClose={() => setOpen(false)}
        onConfirm={async () => {
          const { problem } = await (asking === 'signing-keys' ? signing : internal).run({})
          if (!problem) again()
          return problem
        }}
      />
    </Page>
  )
}

function RotationTable({ rotations }: { readonly rotations: readonly Rotation[] }) {
  return (
    <div className="scroll">
      <Table aria-label="Rotations of keys" miw={720}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Keys</Table.Th>
            <Table.Th>New one</Table.Th>
            <Table.Th>When</Table.Th>
            <Table.Th>Seen to work</Table.Th>
            <Table.Th>Old one ends</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rotations.map((rotation) => (
            <Table.Tr key={rotation.id}>
              <Table.Td fw={600}>
                {rotation.kind === 'SIGNING_KEY' ? 'Signing keys' : 'Keys of gateways'}
              </Table.Td>
              <Table.Td className="mono">
                {rotation.successorId === everyGateway ? 'of each' : rotation.successorId}
              </Table.Td>
              <Table.Td>
                <Ago at={rotation.at} />
                <Text size="xs" c="dimmed">
                  {rotation.by ? `by ${rotation.by.name}` : 'by itself'}
                </Text>
              </Table.Td>
              <Table.Td>
                {rotation.verifiedAt ? <Ago at={rotation.verifiedAt} /> : 'not yet'}
              </Table.Td>
              <Table.Td>
                <Ago at={rotation.finishedAt ?? rotation.oldEndsAt} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

/** In place of the id of a key: what staff has asked of all gateways. */
const everyGateway = 'every-gateway'
