/** The live connection in a word: what the console shows, and whether what it shows is fresh. */
export type ConnectionState =
  /** Nobody listens, so there is no connection. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'reconnecting'; readonly sinceMs: number }
  | { readonly kind: 'offline'; readonly sinceMs: number }

export type ConnectionEvent =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'closed'; readonly isWanted: boolean }
  /** The browser lost or found its network. */
  | { readonly kind: 'network'; readonly isUp: boolean }
  | { readonly kind: 'tick' }

/** After this long without a connection it is called offline; the attempts go on. */
export const offlineAfterMs = 15_000

/** The next state. Time comes with the event, so that it needs no clock. */
export function nextConnection(
  state: ConnectionState,
  event: ConnectionEvent,
  nowMs: number,
): ConnectionState {
  const { kind } = event
  if (kind === 'connected') return { kind: 'live' }
  if (kind === 'connecting') return state.kind === 'idle' ? { kind: 'connecting' } : state
  if (kind === 'closed') {
    if (event.isWanted) return { kind: 'idle' }
    return isDown(state) ? state : { kind: 'reconnecting', sinceMs: nowMs }
  }
  if (kind === 'network') {
    if (event.isUp || state.kind === 'idle') return state
    return { kind: 'offline', sinceMs: isDown(state) ? state.sinceMs : nowMs }
  }
  const isLong = state.kind === 'reconnecting' && nowMs - state.sinceMs >= offlineAfterMs
  return isLong ? { kind: 'offline', sinceMs: state.sinceMs } : state
}

function isDown(state: ConnectionState): state is ConnectionState & { sinceMs: number } {
  return state.kind === 'reconnecting' || state.kind === 'offline'
}
