import { Button, Group, Modal, Stack, Table, Text, TextInput, Textarea } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import {
  SuspendedHostsDocument,
  SuspendHostDocument,
  UnsuspendHostDocument,
} from '../gql/graphql.ts'
import type { SuspendedHostsQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'
import { reasonCharactersMax } from './suspend.tsx'

const hostsOf = (data: SuspendedHostsQuery) => data.suspendedHosts

/** Addresses out of service, and the way to take one out now. */
export function HostsPage() {
  const [isAsking, asking] = useDisclosure(false)
  const lift = useAction(UnsuspendHostDocument)
  const pages = usePages({ document: SuspendedHostsDocument, variables: {}, pick: hostsOf })
  const list = loadedOf(pages, {
    path: 'suspendedHosts',
    pick: () => pages.nodes,
    isEmpty: (hosts) => hosts.length === 0,
  })
  const putBack = async (name: string) => {
    const { problem } = await lift.run({ name })
    if (!problem) pages.refetch()
  }
  return (
    <Page
      title="Suspended addresses"
      about="Out of service on every relay, whoever has them. Visitors see that an address is suspended; the reason is for its owner."
      actions={
        <Button color="red.8" onClick={asking.open}>
          Suspend an address …
        </Button>
      }
    >
      {lift.problem && <ProblemNote problem={lift.problem} />}
      <Panel
        of={list}
        isFlush
        onRetry={pages.refetch}
        empty={<Empty title="None is suspended">When somebody reports a tunnel, begin here.</Empty>}
      >
        {(hosts) => (
          <>
            <div className="scroll">
              <Table aria-label="Suspended addresses" miw={640}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Address</Table.Th>
                    <Table.Th>Reason</Table.Th>
                    <Table.Th>Since</Table.Th>
                    <Table.Th>
                      <span className="visually-hidden">Actions</span>
                    </Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {hosts.map((host) => (
                    <Table.Tr key={host.id}>
                      <Table.Td className="mono whole">
                        {host.name}
                        {host.organizationId && (
                          <Text size="xs" component="div">
                            <Link
                              to="/admin/organizations/$organizationId"
                              params={{ organizationId: host.organizationId }}
                            >
                              Whose it was
                            </Link>
                          </Text>
                        )}
                      </Table.Td>
                      <Table.Td>{host.reason}</Table.Td>
                      <Table.Td>
                        <Ago at={host.at} />
                      </Table.Td>
                      <Table.Td ta="right">
                        <Button
                          variant="default"
                          size="xs"
                          onClick={() => void putBack(host.name)}
                          aria-label={`Lift the suspension of ${host.name}`}
                        >
                          Lift
                        </Button>
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </div>
            <LoadMore {...pages} count={hosts.length} what={['address', 'addresses']} />
          </>
        )}
      </Panel>
      <SuspendHost isOpen={isAsking} onClose={asking.close} onDone={pages.refetch} />
    </Page>
  )
}

interface DialogProps {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onDone: () => void
}

function SuspendHost({ isOpen, onClose, onDone }: DialogProps) {
  const [name, setName] = useState('')
  const [reason, setReason] = useState('')
  const suspend = useAction(SuspendHostDocument)
  const close = () => {
    suspend.reset()
    onClose()
  }
  const take = async () => {
    const { problem } = await suspend.run({ name, reason })
    if (problem) return
    setName('')
    setReason('')
    onDone()
    close()
  }
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title="Suspend an address"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void take()
        }}
      >
        <Stack>
          <TextInput
            label="Address"
            description="A host name such as app.example.com, or tcp:20001."
            value={name}
            maxLength={253}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            data-autofocus
          />
          <Textarea
            label="Reason"
            description="Its owner reads it, visitors do not."
            value={reason}
            maxLength={reasonCharactersMax}
            onChange={(event) => setReason(event.currentTarget.value)}
            autosize
            minRows={2}
            required
          />
          {suspend.problem && <ProblemNote problem={suspend.problem} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" color="red.8" loading={suspend.isBusy}>
              Suspend
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
