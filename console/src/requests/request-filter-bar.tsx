import { Button, Group, Pill, Select, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useState } from 'react'

import type { RequestSearch, StatusClass } from './request-filter.ts'
import { methods, pathFilterMax, requestFilterOf, statusClasses } from './request-filter.ts'

interface Props {
  readonly search: RequestSearch
  readonly onChange: (search: RequestSearch) => void
  readonly tunnelName: string | null
}

/** How long typing may rest before the list is asked for. */
const typingRestMs = 300

const statusLabels = {
  '1xx': '1xx upgraded',
  '2xx': '2xx success',
  '3xx': '3xx redirect',
  '4xx': '4xx visitor error',
  '5xx': '5xx failure',
} as const satisfies Record<StatusClass, string>

const statusChoices = statusClasses.map((value) => ({ value, label: statusLabels[value] }))

export function RequestFilterBar({ search, onChange, tunnelName }: Props) {
  const change = (changes: { [K in keyof RequestSearch]: RequestSearch[K] | null }) => {
    const kept = Object.entries({ ...search, ...changes }).filter(([, value]) => Boolean(value))
    onChange(Object.fromEntries(kept))
  }
  const [path, setPath] = useState(search.path ?? '')

  useEffect(() => setPath(search.path ?? ''), [search.path])
  useEffect(() => {
    if (path === (search.path ?? '')) return undefined
    const id = setTimeout(() => change({ path }), typingRestMs)
    return () => clearTimeout(id)
  }, [path])

  return (
    <Group gap="sm" mb="md" role="search" aria-label="Filter the requests">
      <TextInput
        aria-label="Path begins with or contains"
        placeholder="/path or a part of it"
        leftSection={<IconSearch size={16} aria-hidden />}
        w={260}
        maxLength={pathFilterMax}
        value={path}
        onChange={(event) => setPath(event.currentTarget.value)}
        data-filter
      />
      <Select
        aria-label="Method"
        placeholder="Any method"
        data={methods}
        value={search.method ?? null}
        onChange={(method) => change({ method })}
        clearable
        clearButtonProps={{ 'aria-label': 'Any method' }}
        w={150}
      />
      <Select
        aria-label="Status"
        placeholder="Any status"
        data={statusChoices}
        value={search.status ?? null}
        onChange={(value) =>
          change({ status: statusClasses.find((each) => each === value) ?? null })
        }
        clearable
        clearButtonProps={{ 'aria-label': 'Any status' }}
        w={180}
      />
      {search.tunnel && (
        <Pill
          size="md"
          withRemoveButton
          onRemove={() => change({ tunnel: null })}
          removeButtonProps={{
            'aria-label': 'Show all tunnels',
            tabIndex: 0,
            'aria-hidden': false,
          }}
        >
          {`Tunnel: ${tunnelName ?? '…'}`}
        </Pill>
      )}
      {requestFilterOf(search) && (
        <Button variant="subtle" onClick={() => change({ method: null, status: null, path: null })}>
          Clear
        </Button>
      )}
    </Group>
  )
}
