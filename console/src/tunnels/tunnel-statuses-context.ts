import { createContext, useContext, useEffect, useReducer, useRef } from 'react'

import type { StatusNews, TunnelStatuses } from './tunnel-statuses.ts'

export const TunnelStatusesContext = createContext<TunnelStatuses | null>(null)

export function useTunnelStatuses(): TunnelStatuses {
  const statuses = useContext(TunnelStatusesContext)
  if (!statuses) throw new Error('useTunnelStatuses needs an organization')
  return statuses
}

/** Hears every change of a tunnel's status, and renders again after it. */
export function useStatusNews(onNews: (news: StatusNews) => void): void {
  const statuses = useTunnelStatuses()
  const [, render] = useReducer((count: number) => count + 1, 0)
  const latest = useRef(onNews)
  useEffect(() => {
    latest.current = onNews
  })
  useEffect(() => {
    return statuses.subscribe((news) => {
      latest.current(news)
      render()
    })
  }, [statuses])
}
