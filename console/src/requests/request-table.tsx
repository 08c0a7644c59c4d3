import { Anchor, Table, Tooltip } from '@mantine/core'

import { bytesText, durationText } from '../ui/figures.ts'
import { clockOf } from '../ui/time.tsx'
import type { Gap, Row } from './request-feed.ts'
import type { ListedRequest } from './use-request-feed.ts'

interface Props {
  readonly rows: readonly Row<ListedRequest>[]
  readonly chosen: string | null
  readonly onChoose: (id: string) => void
  readonly onReload: () => void
  /** Beside the details there is no room for every column. */
  readonly isCompact: boolean
}

export function RequestTable({ rows, chosen, onChoose, onReload, isCompact }: Props) {
  return (
    <div className="scroll">
      <Table
        highlightOnHover
        verticalSpacing={5}
        aria-label="Requests"
        miw={{ base: 0, xs: isCompact ? 480 : 680 }}
      >
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={96} visibleFrom="xs">
              Time
            </Table.Th>
            <Table.Th w={{ base: 76, xs: 90 }}>Method</Table.Th>
            <Table.Th w={{ base: 64, xs: 76 }}>Status</Table.Th>
            <Table.Th>Path</Table.Th>
            {!isCompact && (
              <Table.Th w="20%" visibleFrom="xs">
                Tunnel
              </Table.Th>
            )}
            <Table.Th w={90} className="numeric" visibleFrom="xs">
              Duration
            </Table.Th>
            {!isCompact && (
              <Table.Th w={90} className="numeric" visibleFrom="xs">
                Size
              </Table.Th>
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) =>
            row.kind === 'gap' ? (
              <GapRow key={row.gap.id} gap={row.gap} onReload={onReload} />
            ) : (
              <RequestRow
                key={row.request.id}
                request={row.request}
                isCompact={isCompact}
                isChosen={row.request.id === chosen}
                onChoose={onChoose}
              />
            ),
          )}
        </Table.Tbody>
      </Table>
    </div>
  )
}

interface RowProps {
  readonly request: ListedRequest
  readonly isChosen: boolean
  readonly isCompact: boolean
  readonly onChoose: (id: string) => void
}

function RequestRow({ request, isChosen, isCompact, onChoose }: RowProps) {
  const { id, startedAt, method, status, path, endpointHost, tunnel, durationMs, responseBytes } =
    request
  return (
    <Table.Tr
      data-chosen={isChosen || undefined}
      data-request={id}
      onClick={() => onChoose(id)}
      style={{ cursor: 'pointer' }}
    >
      <Table.Td className="mono" visibleFrom="xs">
        <time dateTime={startedAt}>{clockOf(startedAt)}</time>
      </Table.Td>
      <Table.Td className="mono">{method}</Table.Td>
      <Table.Td>
        <StatusCode status={status} code={request.code ?? null} />
      </Table.Td>
      <Table.Td>
        <Anchor
          component="button"
          type="button"
          className="path mono"
          underline="never"
          c="inherit"
          w="100%"
          ta="left"
          aria-current={isChosen || undefined}
          title={path}
          onClick={(event) => {
            event.stopPropagation()
            onChoose(id)
          }}
        >
          {path}
        </Anchor>
      </Table.Td>
      {!isCompact && (
        <Table.Td visibleFrom="xs">
          <span className="path" title={endpointHost}>
            {tunnel?.name ?? endpointHost}
          </span>
        </Table.Td>
      )}
      <Table.Td className="numeric" visibleFrom="xs">
        {durationText(durationMs)}
      </Table.Td>
      {!isCompact && (
        <Table.Td className="numeric" visibleFrom="xs">
          {bytesText(responseBytes)}
        </Table.Td>
      )}
    </Table.Tr>
  )
}

const toneOf = (status: number) =>
  status >= 500
    ? 'tone-bad'
    : status >= 400
      ? 'tone-warn'
      : status >= 300
        ? 'tone-notice'
        : 'tone-good'

/** The status; one that the edge or the agent gave in the service's place is marked, with its code. */
export function StatusCode({ status, code }: { status: number; code: string | null }) {
  // A connection without HTTP has none.
  const shown = status === 0 ? '–' : status
  const text = <span className={`mono ${toneOf(status)}`}>{shown}</span>
  if (!code) return text
  return (
    <Tooltip label={`Answered by Sluice: ${code}`}>
      <span className={`mono ${toneOf(status)}`} tabIndex={0}>
        {shown}
        <span aria-hidden="true">*</span>
        <span className="visually-hidden"> {code}</span>
      </span>
    </Tooltip>
  )
}

const gapTexts = {
  slow: (missed) => `${missed} requests came faster than they could be shown.`,
  bound: (missed) => `${missed} older requests were let go to keep the page light.`,
  lost: () => 'The live connection was lost here for a moment.',
} as const satisfies Record<Gap['reason'], (missed: number) => string>

function GapRow({ gap, onReload }: { gap: Gap; onReload: () => void }) {
  return (
    <Table.Tr className="gap" data-gap={gap.reason}>
      <Table.Td colSpan={7}>
        {gapTexts[gap.reason](gap.missed ?? 0)}{' '}
        <Anchor
          component="button"
          type="button"
          size="xs"
          c="inherit"
          underline="always"
          onClick={onReload}
        >
          Read the log again
        </Anchor>
      </Table.Td>
    </Table.Tr>
  )
}
