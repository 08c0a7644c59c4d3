import { TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useState } from 'react'

const searchCharactersMax = 100
/** Typing is over when nothing came for so long. */
const restMs = 250

/** What is typed into a search field, and what is searched for once typing rests. */
export function useSearch() {
  const [typed, setTyped] = useState('')
  const [search, setSearch] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed.trim()), restMs)
    return () => clearTimeout(timer)
  }, [typed])
  return { typed, setTyped, search }
}

export function SearchField({
  label,
  typed,
  onType,
}: {
  label: string
  typed: string
  onType: (text: string) => void
}) {
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={typed}
      maxLength={searchCharactersMax}
      onChange={(event) => onType(event.currentTarget.value)}
      mb="md"
      maw={420}
    />
  )
}
