import { Anchor, Button, Code, Group, Stack, Table, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import { TunnelsDocument } from '../gql/graphql.ts'
import type { TunnelsQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { useMay, usePlace } from '../shell/organization.ts'
import { Command, Copy } from '../ui/copy.tsx'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { Ago } from '../ui/time.tsx'
import { CreateTunnel } from './create-tunnel.tsx'
import { StatusWord } from './status-word.tsx'
import { isWebAddress } from './tunnel-kind.ts'
import { useStatusNews, useTunnelStatuses } from './tunnel-statuses-context.ts'
import { withLiveStatus } from './tunnel-statuses.ts'

const tunnelsOf = (data: TunnelsQuery) => data.organization?.tunnels
type Tunnel = NonNullable<ReturnType<typeof tunnelsOf>>['nodes'][number]

export function TunnelsPage() {
  const { organization } = usePlace()
  const mayManage = useMay('tunnels.manage')
  const pages = usePages({
    document: TunnelsDocument,
    variables: { organizationId: organization.id },
    pick: tunnelsOf,
  })
  const statuses = useTunnelStatuses()

  useStatusNews((news) => {
    // A tunnel that the list does not have was just made; one that is deleted is no longer in it.
    const isListed =
      news.kind === 'status' &&
      news.status !== 'DELETED' &&
      pages.nodes?.some(({ id }) => id === news.tunnelId)
    if (!isListed) pages.refetch()
  })

  const list = loadedOf(pages, {
    path: 'organization.tunnels',
    pick: () => pages.nodes,
    isEmpty: (tunnels) => tunnels.length === 0,
  })
  const limit = pages.data?.organization?.entitlements?.maxTunnels

  return (
    <Page
      title="Tunnels"
      about="A tunnel gives a local service a public address. It keeps its name when the agent is gone."
      actions={mayManage && <CreateTunnel onCreated={pages.refetch} />}
    >
      <Panel
        of={list}
        isFlush
        onRetry={pages.refetch}
        empty={<NoTunnels slug={organization.slug} />}
      >
        {(tunnels) => (
          <>
            <div className="scroll">
              <Table highlightOnHover aria-label="Tunnels">
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Name</Table.Th>
                    <Table.Th>Status</Table.Th>
                    <Table.Th>Address</Table.Th>
                    <Table.Th>Region</Table.Th>
                    <Table.Th className="numeric">Connections</Table.Th>
                    <Table.Th>Owner</Table.Th>
                    <Table.Th>Created</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {tunnels.map((tunnel) => (
                    <TunnelRow
                      key={tunnel.id}
                      slug={organization.slug}
                      tunnel={withLiveStatus(tunnel, statuses.of(tunnel.id), pages.fetchedAtMs)}
                    />
                  ))}
                </Table.Tbody>
              </Table>
            </div>
            <LoadMore {...pages} count={tunnels.length} what={['tunnel', 'tunnels']} max={limit} />
          </>
        )}
      </Panel>
      <Text size="xs" c="dimmed" mt="sm">
        In the CLI: <Code>sluice tunnels</Code>
      </Text>
    </Page>
  )
}

function TunnelRow({ tunnel, slug }: { tunnel: Tunnel; slug: string }) {
  const [url] = tunnel.urls
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor
          fw={600}
          className="whole"
          size="sm"
          renderRoot={(props) => (
            <Link
              to="/o/$slug/tunnels/$tunnelId"
              params={{ slug, tunnelId: tunnel.id }}
              {...props}
            />
          )}
        >
          {tunnel.name}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <StatusWord status={tunnel.status} />
      </Table.Td>
      <Table.Td>
        <Group gap={2} wrap="nowrap">
          {url && isWebAddress(url) ? (
            <Anchor href={url} target="_blank" rel="noreferrer" className="mono whole" c="inherit">
              {tunnel.endpointHost}
            </Anchor>
          ) : (
            <span className="mono whole">{url ?? tunnel.endpointHost}</span>
          )}
          {url && <Copy value={url} what={`the address of ${tunnel.name}`} />}
        </Group>
      </Table.Td>
      <Table.Td>{tunnel.region}</Table.Td>
      <Table.Td className="numeric">{tunnel.connections}</Table.Td>
      <Table.Td>{tunnel.owner?.name ?? '–'}</Table.Td>
      <Table.Td>
        <Ago at={tunnel.createdAt} />
      </Table.Td>
    </Table.Tr>
  )
}

function NoTunnels({ slug }: { slug: string }) {
  return (
    <Empty
      title="No tunnel yet"
      action={
        <Button
          variant="default"
          renderRoot={(props) => <Link to="/o/$slug/start" params={{ slug }} {...props} />}
        >
          Show me all steps
        </Button>
      }
    >
      <Stack gap="xs">
        <Text size="sm" c="dimmed">
          With something running on port 3000, this opens one and shows it here:
        </Text>
        <Command>sluice http 3000</Command>
      </Stack>
    </Empty>
  )
}
