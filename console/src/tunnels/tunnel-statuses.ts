import type { TunnelStatus, TunnelStatusChangesSubscription } from '../gql/graphql.ts'

type StatusEvent = TunnelStatusChangesSubscription['tunnelStatus']

/** What the live stream last said about one tunnel. */
export interface LiveStatus {
  readonly status: TunnelStatus
  readonly connections: number | null
  readonly onlineSince: string | null
  readonly receivedAtMs: number
}

export type StatusNews =
  | { readonly kind: 'status'; readonly tunnelId: string; readonly status: TunnelStatus }
  /** The stream was lost for a while: what pages show must be read again. */
  | { readonly kind: 'restart' }

interface Shown {
  readonly status: TunnelStatus
  readonly connections: number
  readonly onlineSince?: string | null | undefined
}

/** Above the largest plan by far; the oldest word is forgotten first. */
export const statusesMax = 5_000

export type TunnelStatuses = ReturnType<typeof createTunnelStatuses>

/** The live statuses of one organization's tunnels, kept apart from the lists that pages load. */
export function createTunnelStatuses() {
  const byTunnel = new Map<string, LiveStatus>()
  const listeners = new Set<(news: StatusNews) => void>()
  const tell = (news: StatusNews) => {
    for (const listener of listeners) listener(news)
  }

  return {
    of: (tunnelId: string) => byTunnel.get(tunnelId),
    record({ tunnelId, status, tunnel }: StatusEvent, nowMs: number) {
      byTunnel.delete(tunnelId)
      byTunnel.set(tunnelId, {
        status,
        connections: tunnel?.connections ?? null,
        onlineSince: tunnel?.onlineSince ?? null,
        receivedAtMs: nowMs,
      })
      const oldest = byTunnel.keys().next()
      if (byTunnel.size > statusesMax && !oldest.done) byTunnel.delete(oldest.value)
      tell({ kind: 'status', tunnelId, status })
    },
    restart: () => tell({ kind: 'restart' }),
    subscribe: (listener: (news: StatusNews) => void) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}

/** The tunnel as it is now: the live word counts when it is younger than the loaded one. */
export function withLiveStatus<T extends Shown>(
  tunnel: T,
  live: LiveStatus | undefined,
  fetchedAtMs: number,
): T {
  if (!live || live.receivedAtMs <= fetchedAtMs) return tunnel
  const isOnline = live.status === 'ONLINE'
  return {
    ...tunnel,
    status: live.status,
    connections: isOnline ? (live.connections ?? tunnel.connections) : 0,
    onlineSince: isOnline ? (live.onlineSince ?? tunnel.onlineSince) : null,
  }
}
