import { useEffect, useRef } from 'react'

import { isTyping } from '../shell/use-shortcuts.ts'

type Keys = Readonly<Record<string, (event: KeyboardEvent) => unknown>>

/** Single keys of one page, while the focus is in no field. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys)
  useEffect(() => {
    latest.current = keys
  })
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      latest.current[event.key]?.(event)
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}
