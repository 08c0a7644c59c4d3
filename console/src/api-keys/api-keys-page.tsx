import { Button, Group, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'

import { GoodFor, isGood, LastUsed } from '../credentials/cells.tsx'
import { RotateDialog } from '../credentials/rotate-dialog.tsx'
import { ApiKeysDocument, RevokeApiKeyDocument, RotateApiKeyDocument } from '../gql/graphql.ts'
import type { ApiKeysQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { usePlace } from '../shell/organization.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Command } from '../ui/copy.tsx'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'
import { CreateApiKeyDialog } from './create-api-key-dialog.tsx'
import { ShownApiKey } from './shown-api-key.tsx'

const apiKeysOf = (data: ApiKeysQuery) => data.organization?.apiKeys
type ApiKey = NonNullable<ReturnType<typeof apiKeysOf>>['nodes'][number]

export function ApiKeysPage() {
  const { organization } = usePlace()
  const [isCreating, creating] = useDisclosure(false)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const [rotating, setRotating] = useState<ApiKey | null>(null)
  const revoke = useAction(RevokeApiKeyDocument)
  const rotate = useAction(RotateApiKeyDocument)
  const pages = usePages({
    document: ApiKeysDocument,
    variables: { organizationId: organization.id },
    pick: apiKeysOf,
  })
  const list = loadedOf(pages, {
    path: 'organization.apiKeys',
    pick: () => pages.nodes,
    isEmpty: (keys) => keys.length === 0,
  })
  const mayChange = organization.viewerPermissions.includes('api-keys.manage')
  const create = mayChange && <Button onClick={creating.open}>Create an API key</Button>

  return (
    <Page
      title="API keys"
      about="An API key lets a program of yours, or of a partner, ask the public graph. It belongs to the organization and stays when its maker leaves."
      actions={create}
    >
      <Panel
        of={list}
        isFlush
        onRetry={pages.refetch}
        empty={
          <Empty title="No API key yet" action={create}>
            <Text size="sm" c="dimmed">
              Programs send it with each request to the public graph:
            </Text>
            <Command isPlain>{`${location.origin}/public/graphql`}</Command>
          </Empty>
        }
      >
        {(keys) => (
          <>
            <ApiKeyTable
              apiKeys={keys}
              {...(mayChange && { onRevoke: setRevoking, onRotate: setRotating })}
            />
            <LoadMore {...pages} count={keys.length} what={['API key', 'API keys']} />
          </>
        )}
      </Panel>
      <CreateApiKeyDialog isOpen={isCreating} onClose={creating.close} onCreated={pages.refetch} />
      <RotateDialog
        name={rotating?.name ?? null}
        what="API key"
        isBusy={rotate.isBusy}
        problem={rotate.problem}
        onRotate={async (overlapSeconds) => {
          if (!rotating) return null
          const { data } = await rotate.run({ id: rotating.id, overlapSeconds })
          if (data) pages.refetch()
          return data?.rotateApiKey.secret ?? null
        }}
        onClose={() => {
          rotate.reset()
          setRotating(null)
        }}
        show={(secret) => <ShownApiKey secret={secret} />}
      />
      <Confirm
        isOpen={revoking !== null}
        title={`Revoke ${revoking?.name}?`}
        effect="Programs that use it are refused within seconds. It cannot be taken back."
        action="Revoke the API key"
        onClose={() => setRevoking(null)}
        onConfirm={async () => {
          if (!revoking) return null
          const { problem } = await revoke.run({ id: revoking.id })
          if (!problem) pages.refetch()
          return problem
        }}
      />
    </Page>
  )
}

interface TableProps {
  readonly apiKeys: readonly ApiKey[]
  readonly onRevoke?: (key: ApiKey) => void
  readonly onRotate?: (key: ApiKey) => void
}

function ApiKeyTable({ apiKeys, onRevoke, onRotate }: TableProps) {
  return (
    <div className="scroll">
      <Table aria-label="API keys" miw={900}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Begins with</Table.Th>
            <Table.Th>May</Table.Th>
            <Table.Th>Created</Table.Th>
            <Table.Th>Last used</Table.Th>
            <Table.Th>Good until, from</Table.Th>
            <Table.Th>
              <span className="visually-hidden">Actions</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {apiKeys.map((key) => (
            <Table.Tr key={key.id}>
              <Table.Td fw={600}>{key.name}</Table.Td>
              <Table.Td className="mono">{key.prefix}…</Table.Td>
              <Table.Td>
                <Text size="sm" title={key.permissions.join('\n')}>
                  {key.permissions.slice(0, 2).join(', ')}
                  {key.permissions.length > 2 && ` and ${key.permissions.length - 2} more`}
                </Text>
                {key.requestsPerMinute !== null && (
                  <Text size="xs" c="dimmed">
                    {key.requestsPerMinute} requests a minute
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <Ago at={key.createdAt} />
                <Maker {...key} />
              </Table.Td>
              <Table.Td>
                <LastUsed {...key} />
              </Table.Td>
              <Table.Td>
                <GoodFor {...key} />
              </Table.Td>
              <Table.Td ta="right">
                {isGood(key) && onRevoke && onRotate && (
                  <Group gap="xs" justify="flex-end" wrap="nowrap">
                    {!key.successorId && (
                      <Button
                        variant="default"
                        size="xs"
                        onClick={() => onRotate(key)}
                        aria-label={`Rotate ${key.name}`}
                      >
                        Rotate
                      </Button>
                    )}
                    <Button
                      variant="default"
                      size="xs"
                      onClick={() => onRevoke(key)}
                      aria-label={`Revoke ${key.name}`}
                    >
                      Revoke
                    </Button>
                  </Group>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

/** Who made it, and whether they could still: a key goes on without them, so somebody should look. */
function Maker({ createdBy, makerHolds, serviceAccount, ...ending }: ApiKey) {
  return (
    <>
      {createdBy && ` by ${createdBy.name}`}
      {serviceAccount && (
        <Text size="xs" c="dimmed">
          for {serviceAccount.name}
        </Text>
      )}
      {!makerHolds && isGood(ending) && (
        <Text size="xs" className="tone-warn">
          {createdBy ? 'Its maker may do less by now' : 'Its maker has left'}
        </Text>
      )}
    </>
  )
}
