import { TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useState } from 'react'

const searchCharactersMax = 100
/** Typing is over when nothing came for so long. */
const restMs = 250

/**
 * What is typed into a search field; what is searched for once typing rests stands in the address, so that the way back
 * leads to what was found.
 */
export function useSearch(search = '', onSearch: (search: string | undefined) => void) {
  const [typed, setTyped] = useState(search)
  useEffect(() => {
    const wanted = typed.trim()
    if (wanted === search) return undefined
    const timer = setTimeout(() => onSearch(wanted || undefined), restMs)
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
