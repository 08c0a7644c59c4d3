import { Button, Group, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useState } from 'react'

import type { AuditFilter } from './filter.ts'
import { isFiltered } from './filter.ts'

const typingRestMs = 300
const charactersMax = 100

interface Props {
  readonly filter: AuditFilter
  readonly onChange: (filter: AuditFilter) => void
}

/** What the list is searched by. It asks once typing rests. */
export function AuditFilterBar({ filter, onChange }: Props) {
  const change = (name: keyof AuditFilter) => (value: string) =>
    onChange({ ...filter, [name]: value === '' ? undefined : value })

  return (
    <Group gap="sm" mb="md" align="flex-end" role="search" aria-label="Audit log">
      <Field
        label="Words"
        placeholder="Words of the entry"
        value={filter.text ?? ''}
        onChange={change('text')}
        isFirst
      />
      <Field
        label="Who"
        placeholder="Name or id"
        value={filter.actor ?? ''}
        onChange={change('actor')}
      />
      <Field
        label="Target"
        placeholder="Kind or id"
        value={filter.target ?? ''}
        onChange={change('target')}
      />
      <Field
        label="Action"
        placeholder="authtoken.created"
        value={filter.action ?? ''}
        onChange={change('action')}
      />
      <Field label="From" type="date" value={filter.from ?? ''} onChange={change('from')} />
      <Field label="To" type="date" value={filter.to ?? ''} onChange={change('to')} />
      {isFiltered(filter) && (
        <Button variant="default" onClick={() => onChange({})}>
          Show all
        </Button>
      )}
    </Group>
  )
}

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly placeholder?: string
  readonly type?: 'text' | 'date'
  readonly isFirst?: boolean
}

function Field({ label, value, onChange, placeholder, type = 'text', isFirst }: FieldProps) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  useEffect(() => {
    if (text.trim() === value) return undefined
    const id = setTimeout(() => onChange(text.trim()), typingRestMs)
    return () => clearTimeout(id)
  }, [text])

  return (
    <TextInput
      label={label}
      type={type}
      {...(placeholder !== undefined && { placeholder })}
      {...(isFirst && { leftSection: <IconSearch size={16} aria-hidden />, 'data-filter': true })}
      w={type === 'date' ? 150 : 170}
      maxLength={charactersMax}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  )
}
