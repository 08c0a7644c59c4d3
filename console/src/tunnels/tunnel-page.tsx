import { Anchor, Button, Group, SimpleGrid, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useQuery } from 'urql'

import { SuspendedNote } from '../admin/suspend.tsx'
import { DeleteTunnelDocument, StopTunnelDocument, TunnelDocument } from '../gql/graphql.ts'
import type { TunnelQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { useMay, usePlace } from '../shell/organization.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Command, Copy } from '../ui/copy.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'
import { CaptureBodies } from './capture-bodies.tsx'
import { EdgePolicy } from './edge-policy.tsx'
import { StatusWord, tunnelStates } from './status-word.tsx'
import { commandOf, isWebAddress, tunnelKinds } from './tunnel-kind.ts'
import { useStatusNews, useTunnelStatuses } from './tunnel-statuses-context.ts'
import { withLiveStatus } from './tunnel-statuses.ts'

const route = getRouteApi('/in/o/$slug/tunnels/$tunnelId')

type Tunnel = NonNullable<TunnelQuery['tunnel']>

export function TunnelPage() {
  const { tunnelId } = route.useParams()
  const statuses = useTunnelStatuses()
  const [answer, execute] = useQuery({ query: TunnelDocument, variables: { id: tunnelId } })
  const refetch = () => execute({ requestPolicy: 'network-only' })
  const [fetchedAtMs, setFetchedAtMs] = useState(0)

  useEffect(() => {
    if (answer.data && !answer.stale) setFetchedAtMs(Date.now())
  }, [answer.data, answer.stale])
  useStatusNews((news) => {
    if (news.kind === 'restart' || news.tunnelId === tunnelId) refetch()
  })

  const found = loadedOf(
    { data: answer.data, error: answer.error, fetching: answer.fetching },
    { path: 'tunnel', pick: ({ tunnel }) => tunnel },
  )
  const tunnel =
    found.kind === 'full' ? withLiveStatus(found.value, statuses.of(tunnelId), fetchedAtMs) : null

  return (
    <Page
      title={tunnel?.name ?? 'Tunnel'}
      about={tunnel && tunnelStates[tunnel.status].meaning}
      actions={tunnel && <Actions tunnel={tunnel} onChanged={refetch} />}
    >
      {tunnel ? (
        <Stack>
          {tunnel.suspension && (
            <SuspendedNote
              title={`${tunnel.suspension.name} is suspended`}
              suspension={tunnel.suspension}
            />
          )}
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <Stack>
              <Addresses tunnel={tunnel} />
              <EdgePolicy tunnel={tunnel} onChanged={refetch} />
            </Stack>
            <Stack>
              <About tunnel={tunnel} />
              <Domains answer={answer} onRetry={refetch} />
            </Stack>
          </SimpleGrid>
        </Stack>
      ) : (
        <Panel of={found} onRetry={refetch}>
          {() => null}
        </Panel>
      )}
    </Page>
  )
}

function Addresses({ tunnel }: { tunnel: Tunnel }) {
  const { slug } = usePlace().organization
  return (
    <Panel
      title="Address"
      of={{ kind: 'full', value: tunnel.urls }}
      actions={
        <Anchor
          size="sm"
          renderRoot={(props) => (
            <Link
              to="/o/$slug/requests"
              params={{ slug }}
              search={{ tunnel: tunnel.id }}
              {...props}
            />
          )}
        >
          Live requests
        </Anchor>
      }
    >
      {(urls) => (
        <Stack gap="sm">
          {urls.map((url) => (
            <Address key={url} url={url} />
          ))}
          {tunnel.status !== 'ONLINE' && (
            <>
              <Text size="sm" c="dimmed">
                To bring it online, run this where the service runs:
              </Text>
              <Command>{commandOf(tunnel)}</Command>
            </>
          )}
        </Stack>
      )}
    </Panel>
  )
}

function Address({ url }: { url: string }) {
  return (
    <div className="command" data-plain>
      <code>
        {isWebAddress(url) ? (
          <Anchor href={url} target="_blank" rel="noreferrer" inherit>
            {url}
          </Anchor>
        ) : (
          url
        )}
      </code>
      <Copy value={url} what={`the address ${url}`} />
    </div>
  )
}

function About({ tunnel }: { tunnel: Tunnel }) {
  return (
    <Panel title="State" of={{ kind: 'full', value: tunnel }}>
      {({
        kind,
        status,
        connections,
        onlineSince,
        startedAt,
        createdAt,
        region,
        owner,
        hostHeader,
        captureBodies,
      }) => (
        <dl className="facts">
          <dt>Kind</dt>
          <dd>{tunnelKinds[kind].label}</dd>
          <dt>Status</dt>
          <dd>
            <StatusWord status={status} />
          </dd>
          <dt>Connections now</dt>
          <dd>{connections}</dd>
          {onlineSince && (
            <>
              <dt>Online</dt>
              <dd>
                since <Ago at={onlineSince} />
              </dd>
            </>
          )}
          {startedAt && (
            <>
              <dt>Last started</dt>
              <dd>
                <Ago at={startedAt} />
              </dd>
            </>
          )}
          <dt>Created</dt>
          <dd>
            <Ago at={createdAt} />
          </dd>
          <dt>Region</dt>
          <dd>{region}</dd>
          <dt>Owner</dt>
          <dd>{owner ? `${owner.name} (${owner.email})` : 'not known right now'}</dd>
          <dt>Host header</dt>
          <dd>
            {hostHeader ? <span className="mono">{hostHeader}</span> : 'as the visitor sent it'}
          </dd>
          <dt>Bodies</dt>
          <dd>
            <CaptureBodies id={tunnel.id} isOn={captureBodies} />
          </dd>
        </dl>
      )}
    </Panel>
  )
}

interface DomainsProps {
  readonly answer: Pick<ReturnType<typeof useQuery<TunnelQuery>>[0], 'data' | 'error' | 'fetching'>
  readonly onRetry: () => void
}

function Domains({ answer: { data, error, fetching }, onRetry }: DomainsProps) {
  const { slug } = usePlace().organization
  const domains = loadedOf(
    { data, error, fetching },
    {
      path: 'tunnel.customDomains',
      pick: ({ tunnel }) => tunnel?.customDomains,
      isEmpty: (list) => list.length === 0,
    },
  )
  const toDomains = (
    <Anchor
      size="sm"
      renderRoot={(props) => <Link to="/o/$slug/domains" params={{ slug }} {...props} />}
    >
      All domains
    </Anchor>
  )
  return (
    <Panel
      title="Custom domains"
      of={domains}
      onRetry={onRetry}
      actions={toDomains}
      empty={<Text size="sm">None is attached. Add a domain, then attach it to this tunnel.</Text>}
    >
      {(list) => (
        <dl className="facts">
          {list.map(({ id, domain, status, tls }) => (
            <Group key={id} display="contents">
              <dt className="mono">{domain}</dt>
              <dd>
                {status === 'VERIFIED' ? 'verified' : 'waits for its DNS records'}
                {tls && `, TLS ${tls.status.toLowerCase()}`}
              </dd>
            </Group>
          ))}
        </dl>
      )}
    </Panel>
  )
}

function Actions({ tunnel, onChanged }: { tunnel: Tunnel; onChanged: () => void }) {
  const { organization } = usePlace()
  const mayManage = useMay('tunnels.manage')
  const navigate = useNavigate()
  const stop = useAction(StopTunnelDocument)
  const remove = useAction(DeleteTunnelDocument)
  const [isStopping, stopping] = useDisclosure(false)
  const [isDeleting, deleting] = useDisclosure(false)
  if (!mayManage || tunnel.status === 'DELETED') return null
  const address = tunnel.kind === 'HTTP' ? tunnel.endpointHost : (tunnel.urls[0] ?? tunnel.name)

  return (
    <>
      {stop.problem && <ProblemNote problem={stop.problem} />}
      {tunnel.status !== 'STOPPED' && (
        <Button variant="default" onClick={stopping.open}>
          Stop
        </Button>
      )}
      <Button variant="default" className="tone-bad" onClick={deleting.open}>
        Delete
      </Button>
      <Confirm
        isOpen={isStopping}
        title={`Stop ${tunnel.name}?`}
        effect={`The agent is disconnected and visitors of ${address} ${tunnel.kind === 'HTTP' ? 'get 503' : 'are turned away'} until an agent starts it again. Name and address stay yours.`}
        action="Stop the tunnel"
        onClose={stopping.close}
        onConfirm={async () => {
          const { problem } = await stop.run({ id: tunnel.id })
          if (!problem) onChanged()
          return problem
        }}
      />
      <Confirm
        isOpen={isDeleting}
        title={`Delete ${tunnel.name}?`}
        effect={`${address} stops working at once for every visitor. For 30 days nobody but this organization can take the name${tunnelKinds[tunnel.kind].hasPort ? '; the port is free for anybody' : ''}. Its custom domains stay, attached to nothing.`}
        action="Delete the tunnel"
        onClose={deleting.close}
        onConfirm={async () => {
          const { problem } = await remove.run({ id: tunnel.id })
          if (!problem) {
            await navigate({ to: '/o/$slug/tunnels', params: { slug: organization.slug } })
          }
          return problem
        }}
      />
    </>
  )
}
