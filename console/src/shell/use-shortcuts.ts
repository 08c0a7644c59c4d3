import { useEffect, useRef } from 'react'

import type { Shortcut } from './chords.ts'
import { nextChord } from './chords.ts'

/** Listens for the console's keys wherever the focus is not in a field. */
export function useShortcuts(onShortcut: (shortcut: Shortcut) => void): void {
  const latest = useRef(onShortcut)
  useEffect(() => {
    latest.current = onShortcut
  })

  useEffect(() => {
    let state = { goAtMs: null as number | null }
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      const next = nextChord(state, { key: event.key, atMs: event.timeStamp })
      state = next.state
      if (!next.shortcut) return
      event.preventDefault()
      latest.current(next.shortcut)
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}

/** Keys in a field are text; keys in a dialog belong to the dialog. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return (
    target.isContentEditable || target.closest('input, textarea, select, [role=dialog]') !== null
  )
}

/** Puts the cursor into the page's filter, which marks itself with `data-filter`. */
export function focusFilter(): void {
  document.querySelector<HTMLInputElement>('[data-filter]')?.focus()
}
