import { Button, Menu, Tabs, Text } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useState } from 'react'

import { loadedOf } from '../graph/loaded.ts'
import type { Problem } from '../graph/problem.ts'
import { usePages } from '../graph/use-pages.ts'
import { useDoor } from '../sign-in/sign-in-context.ts'
import { Command } from '../ui/copy.tsx'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { AuditFilterBar } from './audit-filter.tsx'
import { AuditProof } from './audit-proof.tsx'
import { AuditContext, entriesOf, useAudit } from './audit-source.ts'
import type { AuditSource } from './audit-source.ts'
import { AuditTable } from './audit-table.tsx'
import { downloadAudit } from './export-audit.ts'
import type { ExportFormat } from './export-audit.ts'
import { isFiltered, variablesOf } from './filter.ts'
import type { AuditFilter, AuditSearch } from './filter.ts'

interface Props {
  readonly source: AuditSource
  readonly about: string
  readonly search: AuditSearch
  readonly onSearch: (search: AuditSearch) => void
  /** Where it goes to by itself, for who may say so. */
  readonly streams?: ReactNode
}

/** An audit: what was done, the proof that nothing was changed since, and an export. */
export function AuditView({ source, about, search, onSearch, streams }: Props) {
  const { view = 'entries', ...filter } = search

  return (
    <AuditContext value={source}>
      <Page title="Audit log" about={about} actions={<Export filter={filter} />} isWide>
        <Tabs
          value={view}
          keepMounted={false}
          onChange={(next) =>
            onSearch(next === 'proof' || next === 'streams' ? { ...filter, view: next } : filter)
          }
        >
          <Tabs.List mb="md">
            <Tabs.Tab value="entries">Entries</Tabs.Tab>
            <Tabs.Tab value="proof">Proof</Tabs.Tab>
            {streams && <Tabs.Tab value="streams">Streams</Tabs.Tab>}
          </Tabs.List>
          <Tabs.Panel value="entries">
            <Entries filter={filter} onFilter={onSearch} />
          </Tabs.Panel>
          <Tabs.Panel value="proof">
            <AuditProof />
          </Tabs.Panel>
          {streams && <Tabs.Panel value="streams">{streams}</Tabs.Panel>}
        </Tabs>
      </Page>
    </AuditContext>
  )
}

interface EntriesProps {
  readonly filter: AuditFilter
  readonly onFilter: (filter: AuditFilter) => void
}

function Entries({ filter, onFilter }: EntriesProps) {
  const source = useAudit()
  const pages = usePages({
    document: source.entries,
    variables: { ...source.variables, ...variablesOf(filter) },
    pick: entriesOf,
  })
  const list = loadedOf(pages, {
    path: `${source.path}.auditEntries`,
    pick: () => pages.nodes,
    isEmpty: (entries) => entries.length === 0,
  })

  return (
    <>
      <AuditFilterBar filter={filter} onChange={onFilter} />
      <Panel
        of={list}
        isFlush
        onRetry={pages.refetch}
        empty={
          isFiltered(filter) ? (
            <Empty
              title="Nothing was recorded that fits"
              action={
                <Button variant="default" onClick={() => onFilter({})}>
                  Show all entries
                </Button>
              }
            />
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
            <AuditTable entries={entries} onFilter={(action) => onFilter({ ...filter, action })} />
            <LoadMore {...pages} count={entries.length} what={['entry', 'entries']} />
          </>
        )}
      </Panel>
    </>
  )
}

/** Downloads what the filter leaves, with the sign-in. */
function Export({ filter }: { filter: AuditFilter }) {
  const { organizationId } = useAudit()
  const { signIn } = useDoor()
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  const download = async (format: ExportFormat) => {
    setBusy(true)
    const token = await signIn.freshToken()
    setProblem(await downloadAudit({ organizationId, format, filter, token }))
    setBusy(false)
  }

  return (
    <>
      {problem && <ProblemNote problem={problem} />}
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            variant="default"
            loading={isBusy}
            rightSection={<IconChevronDown size={16} aria-hidden />}
          >
            Export
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => void download('csv')}>For spreadsheets (CSV)</Menu.Item>
          <Menu.Item onClick={() => void download('jsonl')}>To verify (JSON Lines)</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  )
}
