import { Anchor, CloseButton, Group, Stack, Table, Text, Title } from '@mantine/core'
import { isErrorCode } from '@sluice/schema/errors'
import { Link } from '@tanstack/react-router'
import { useQuery } from 'urql'

import { CapturedRequestDocument } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { codeOf } from '../graph/problem.ts'
import { usePlace } from '../shell/organization.ts'
import { Copy } from '../ui/copy.tsx'
import { bytesText, durationText } from '../ui/figures.ts'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { Bodies } from './bodies.tsx'
import { requestCurlOf } from './request-curl.ts'
import { StatusCode } from './request-table.tsx'
import { timingOf } from './timing.ts'
import type { DetailedRequest } from './use-request-feed.ts'

interface Props {
  readonly id: string
  /** What came with the live event: it is there before the log is. */
  readonly known: DetailedRequest | null
  readonly onClose: () => void
}

export function RequestDetail({ id, known, onClose }: Props) {
  const [answer, refetch] = useQuery({
    query: CapturedRequestDocument,
    variables: { id },
    pause: known !== null,
  })
  const request = known
    ? ({ kind: 'full', value: known } as const)
    : loadedOf(
        { data: answer.data, error: answer.error, fetching: answer.fetching },
        { path: 'capturedRequest', pick: ({ capturedRequest }) => capturedRequest },
      )

  return (
    <div className="request-panel" data-detail={id}>
      <Panel
        title="Request"
        of={request}
        onRetry={() => refetch({ requestPolicy: 'network-only' })}
        actions={<CloseButton aria-label="Close the request" onClick={onClose} />}
      >
        {(value) => <Detail request={value} />}
      </Panel>
    </div>
  )
}

function Detail({ request }: { request: DetailedRequest }) {
  const { slug } = usePlace().organization
  const { method, path, status, code, protocol, endpointHost, visitorIp, startedAt, tunnel } =
    request
  return (
    <Stack gap="md">
      <div>
        <Group gap="sm" wrap="nowrap" align="flex-start">
          <StatusCode status={status} code={null} />
          <Text className="mono" fw={600} style={{ overflowWrap: 'anywhere' }}>
            {method} {path}
          </Text>
          {protocol.startsWith('HTTP') && (
            <Copy value={requestCurlOf(request, location.protocol)} what="as curl" />
          )}
        </Group>
      </div>
      {isErrorCode(code) && <ProblemNote problem={codeOf(code, { endpointHost })} />}
      <Timing request={request} />
      <dl className="facts">
        <dt>Started</dt>
        <dd>
          <Ago at={startedAt} />
        </dd>
        <dt>Tunnel</dt>
        <dd>
          {tunnel ? (
            <Anchor
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
          ) : (
            'not known right now'
          )}
        </dd>
        <dt>Endpoint host</dt>
        <dd className="mono">{endpointHost}</dd>
        <dt>Visitor</dt>
        <dd className="mono">{visitorIp}</dd>
        <dt>Protocol</dt>
        <dd>{protocol}</dd>
        <dt>Received</dt>
        <dd>{bytesText(request.requestBytes)}</dd>
        <dt>Sent</dt>
        <dd>{bytesText(request.responseBytes)}</dd>
        <dt>Id</dt>
        <dd>
          <Group gap={2} wrap="nowrap">
            <span className="mono">{request.id}</span>
            <Copy value={request.id} what="the id" />
          </Group>
        </dd>
      </dl>
      <Headers title="Request headers" headers={request.requestHeaders} />
      <Headers title="Response headers" headers={request.responseHeaders} />
      <Bodies request={request} />
    </Stack>
  )
}

function Timing({ request }: { request: DetailedRequest }) {
  const parts = timingOf(request)
  return (
    <div>
      <Group justify="space-between" mb={6}>
        <Title order={3}>Timing</Title>
        <Text size="sm">{durationText(request.durationMs)}</Text>
      </Group>
      <div className="timing" aria-hidden="true">
        {parts.map(({ name, percent }) => (
          <div key={name} className={`timing-${name}`} style={{ width: `${percent}%` }} />
        ))}
      </div>
      <Group gap="lg" mt={6}>
        {parts.map(({ name, label, ms }) => (
          <Text key={name} size="xs" c="dimmed">
            <span className={`swatch timing-${name}`} aria-hidden="true" />
            {label}: {durationText(ms)}
          </Text>
        ))}
      </Group>
    </div>
  )
}

interface HeadersProps {
  readonly title: string
  readonly headers: DetailedRequest['requestHeaders']
}

function Headers({ title, headers }: HeadersProps) {
  return (
    <div>
      <Title order={3} mb={4}>
        {title}
      </Title>
      {headers.length === 0 ? (
        <Text size="sm" c="dimmed">
          None were kept.
        </Text>
      ) : (
        <Table verticalSpacing={3} horizontalSpacing={0} layout="fixed" aria-label={title}>
          <Table.Tbody>
            {headers.map(({ name, value }, index) => (
              <Table.Tr key={`${index} ${name}`}>
                <Table.Td w="40%" className="mono" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                  {name}
                </Table.Td>
                <Table.Td className="mono" style={{ overflowWrap: 'anywhere' }}>
                  {value}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </div>
  )
}
