import { Button, Code, Drawer, Group, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { getRouteApi } from '@tanstack/react-router'
import { useMemo } from 'react'

import { loadedOf } from '../graph/loaded.ts'
import { connectionWords } from '../live/connection-words.ts'
import { useConnection } from '../live/live-context.ts'
import { usePlace } from '../shell/organization.ts'
import { isTyping } from '../shell/use-shortcuts.ts'
import { Command } from '../ui/copy.tsx'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { StateWord } from '../ui/tone.tsx'
import { RequestDetail } from './request-detail.tsx'
import { RequestFilterBar } from './request-filter-bar.tsx'
import { parseRequestSearch, requestFilterOf } from './request-filter.ts'
import type { RequestSearch } from './request-filter.ts'
import { RequestTable } from './request-table.tsx'
import { useKeys } from './use-keys.ts'
import { useRequestFeed } from './use-request-feed.ts'

const route = getRouteApi('/in/o/$slug/requests')
/** The detail stands beside the list from this width on; below it covers the list. */
const splitFrom = '(min-width: 80em)'

export function RequestsPage() {
  const { organization } = usePlace()
  const raw = route.useSearch()
  // The router also hands on what its validation left out.
  const search = useMemo(() => parseRequestSearch({ ...raw }), [raw])
  const navigate = route.useNavigate()
  const isSplit = useMediaQuery(splitFrom, true) ?? true
  const { request: chosen, ...filter } = search
  const feed = useRequestFeed(organization.id, filter)
  const { rows, isPaused, held, pause, resume, streamProblem } = feed

  const setSearch = (next: RequestSearch) =>
    void navigate({ search: next, replace: true, resetScroll: false })
  const choose = (id: string | null) => setSearch(id ? { ...filter, request: id } : filter)
  const ids = useMemo(
    () => rows?.flatMap((row) => (row.kind === 'request' ? [row.request.id] : [])) ?? [],
    [rows],
  )
  const step = (by: number) => {
    const next = chosen ? ids[ids.indexOf(chosen) + by] : ids[0]
    if (next) choose(next)
  }
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    p: () => (isPaused ? resume() : pause()),
    Escape: (event) => !isTyping(event.target) && choose(null),
  })

  const list = loadedOf(feed.answer, {
    path: search.tunnel ? 'tunnel.requests' : 'organization.requests',
    pick: () => rows,
    isEmpty: (all) => all.length === 0,
  })
  const detail = chosen && (
    <RequestDetail id={chosen} known={feed.detailsOf(chosen)} onClose={() => choose(null)} />
  )

  return (
    <Page
      title="Requests"
      isWide
      about="What visitors asked for and what they got, newest first."
      actions={<LiveSwitch isPaused={isPaused} held={held} pause={pause} resume={resume} />}
    >
      <RequestFilterBar search={search} onChange={setSearch} tunnelName={feed.tunnelName} />
      <div className="requests" data-split={(isSplit && detail && true) || undefined}>
        <Panel
          of={list}
          isFlush
          skeletonRows={8}
          onRetry={feed.refetch}
          empty={
            <NoRequests
              search={filter}
              tunnelName={feed.tunnelName}
              onClear={() => setSearch({})}
            />
          }
        >
          {(all) => (
            <>
              {streamProblem && (
                <div className="panel-body">
                  <ProblemNote problem={streamProblem} />
                </div>
              )}
              <RequestTable
                rows={all}
                chosen={chosen ?? null}
                onChoose={choose}
                onReload={feed.refetch}
                isCompact={isSplit && chosen !== undefined}
              />
              <LoadMore {...feed} count={ids.length} what={['request', 'requests']} />
            </>
          )}
        </Panel>
        {isSplit && detail}
      </div>
      {!isSplit && (
        <Drawer
          opened={chosen !== undefined}
          onClose={() => choose(null)}
          position="right"
          size="lg"
          withCloseButton={false}
          aria-label="Request"
        >
          {detail}
        </Drawer>
      )}
      <Text size="xs" c="dimmed" mt="sm">
        In the CLI:{' '}
        <Code>
          {feed.tunnelName ? `sluice logs -f --tunnel ${feed.tunnelName}` : 'sluice logs -f'}
        </Code>
      </Text>
    </Page>
  )
}

interface SwitchProps {
  readonly isPaused: boolean
  readonly held: number
  readonly pause: () => void
  readonly resume: () => void
}

function LiveSwitch({ isPaused, held, pause, resume }: SwitchProps) {
  const { tone, label } = connectionWords[useConnection().kind]
  return (
    <Group gap="sm">
      <Text size="sm" component="span" role="status">
        {isPaused ? (
          <StateWord tone="warn">{held > 0 ? `Paused, ${held} new` : 'Paused'}</StateWord>
        ) : (
          <StateWord tone={tone}>{label}</StateWord>
        )}
      </Text>
      <Button variant="default" onClick={isPaused ? resume : pause}>
        {isPaused ? (held > 0 ? `Show ${held} new` : 'Resume') : 'Pause'}
      </Button>
    </Group>
  )
}

interface NoRequestsProps {
  readonly search: RequestSearch
  readonly tunnelName: string | null
  readonly onClear: () => void
}

function NoRequests({ search, tunnelName, onClear }: NoRequestsProps) {
  if (requestFilterOf(search)) {
    return (
      <Empty
        title="No request matches"
        action={
          <Button variant="default" onClick={onClear}>
            Clear the filter
          </Button>
        }
      >
        <Text size="sm" c="dimmed">
          New ones that match will show here as they come.
        </Text>
      </Empty>
    )
  }
  return (
    <Empty title="No request yet">
      <Text size="sm" c="dimmed">
        Open a tunnel, then visit its address. Every request shows here as it ends.
      </Text>
      <Command>{`sluice http 3000${tunnelName ? ` --name ${tunnelName}` : ''}`}</Command>
    </Empty>
  )
}
