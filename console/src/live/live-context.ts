import { createContext, useContext, useSyncExternalStore } from 'react'

import type { ConnectionState } from './connection.ts'
import type { Live } from './live.ts'

export const LiveContext = createContext<Live | null>(null)

export function useLive(): Live {
  const live = useContext(LiveContext)
  if (!live) throw new Error('useLive needs a LiveContext')
  return live
}

export function useConnection(): ConnectionState {
  const live = useLive()
  return useSyncExternalStore(live.subscribe, live.state)
}
