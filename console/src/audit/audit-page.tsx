import { Anchor, Button, Table, Text, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { getRouteApi } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import { AuditEntriesDocument } from '../gql/graphql.ts'
import type { AuditEntriesQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { usePlace } from '../shell/organization.ts'
import { Command } from '../ui/copy.tsx'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { Ago } from '../ui/time.tsx'

const route = getRouteApi('/in/o/$slug/audit')
const typingRestMs = 300
const actionMax = 100

const entriesOf = (data: AuditEntriesQuery) => data.organization?.auditEntries
type Entry = NonNullable<ReturnType<typeof entriesOf>>['nodes'][number]

export function AuditPage() {
  const { organization } = usePlace()
  const { action } = route.useSearch()
  const navigate = route.useNavigate()
  const pages = usePages({
    document: AuditEntriesDocument,
    variables: { organizationId: organization.id, action: action ?? null },
    pick: entriesOf,
  })
  const list = loadedOf(pages, {
    path: 'organization.auditEntries',
    pick: () => pages.nodes,
    isEmpty: (entries) => entries.length === 0,
  })
  const filter = (next: string) =>
    void navigate({ search: next ? { action: next } : {}, replace: true, resetScroll: false })

  return (
    <Page
      title="Audit log"
      about="Who changed what, and from where. Entries are never changed or removed."
    >
      <ActionFilter action={action ?? ''} onChange={filter} />
      <Panel
        of={list}
        isFlush
        onRetry={pages.refetch}
        empty={
          action ? (
            <Empty
              title={`Nothing was recorded as ${action}`}
              action={
                <Button variant="default" onClick={() => filter('')}>
                  Show all actions
                </Button>
              }
            >
              <Text size="sm" c="dimmed">
                The action must be written as the list shows it.
              </Text>
            </Empty>
          ) : (
            <Empty title="Nothing was recorded yet">
              <Text size="sm" c="dimmed">
                Every change leaves an entry here, also this one:
              </Text>
              <Command>{`sluice login --server ${location.origin}`}</Command>
            </Empty>
          )
        }
      >
        {(entries) => (
          <>
            <AuditTable entries={entries} onFilter={filter} />
            <LoadMore {...pages} count={entries.length} what={['entry', 'entries']} />
          </>
        )}
      </Panel>
    </Page>
  )
}

function ActionFilter({
  action,
  onChange,
}: {
  action: string
  onChange: (action: string) => void
}) {
  const [text, setText] = useState(action)
  useEffect(() => setText(action), [action])
  useEffect(() => {
    if (text.trim() === action) return undefined
    const id = setTimeout(() => onChange(text.trim()), typingRestMs)
    return () => clearTimeout(id)
  }, [text])

  return (
    <TextInput
      aria-label="Action"
      placeholder="Action, for example authtoken.created"
      leftSection={<IconSearch size={16} aria-hidden />}
      maw={340}
      mb="md"
      maxLength={actionMax}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      data-filter
    />
  )
}

interface TableProps {
  readonly entries: readonly Entry[]
  readonly onFilter: (action: string) => void
}

function AuditTable({ entries, onFilter }: TableProps) {
  return (
    <div className="scroll">
      <Table aria-label="Audit log" verticalSpacing={6} miw={920}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            <Table.Th>Action</Table.Th>
            <Table.Th>Who</Table.Th>
            <Table.Th>Target</Table.Th>
            <Table.Th>Details</Table.Th>
            <Table.Th>Address</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {entries.map((entry) => (
            <Table.Tr key={entry.id}>
              <Table.Td>
                <Ago at={entry.at} />
              </Table.Td>
              <Table.Td>
                <Anchor
                  component="button"
                  type="button"
                  className="mono"
                  title="Show only this action"
                  onClick={() => onFilter(entry.action)}
                >
                  {entry.action}
                </Anchor>
              </Table.Td>
              <Table.Td className="whole">
                {entry.actor?.name ?? entry.actorName}
                {entry.actorKind.toLowerCase() !== 'user' && (
                  <Text size="xs" c="dimmed">
                    {entry.actorKind.toLowerCase()}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                {entry.targetType}
                {entry.targetId && (
                  <Text
                    size="xs"
                    c="dimmed"
                    className="mono"
                    truncate
                    maw={140}
                    title={entry.targetId}
                  >
                    {entry.targetId}
                  </Text>
                )}
              </Table.Td>
              <Table.Td className="mono" style={{ overflowWrap: 'anywhere' }}>
                {entry.details ?? '–'}
              </Table.Td>
              <Table.Td className="mono">{entry.ip ?? '–'}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
