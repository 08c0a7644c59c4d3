/** How long after `g` the second key counts. */
export const chordMs = 1_200

/** The pages that `g` and a letter open, in the order in which the side lists them. */
export const goTo = {
  s: { path: 'start', label: 'Get started' },
  t: { path: 'tunnels', label: 'Tunnels' },
  r: { path: 'requests', label: 'Requests' },
  d: { path: 'domains', label: 'Domains' },
  a: { path: 'authtokens', label: 'Authtokens' },
  m: { path: 'members', label: 'Members' },
  u: { path: 'usage', label: 'Plan and usage' },
  l: { path: 'audit', label: 'Audit log' },
} as const

type GoToKey = keyof typeof goTo
type PagePath = (typeof goTo)[GoToKey]['path']

export type Shortcut =
  | { readonly kind: 'go'; readonly path: PagePath }
  | { readonly kind: 'help' }
  | { readonly kind: 'filter' }

export interface ChordState {
  /** When `g` was pressed; null when it was not. */
  readonly goAtMs: number | null
}

interface Press {
  readonly key: string
  readonly atMs: number
}

/** What one key press means after those before it. */
export function nextChord(
  state: ChordState,
  { key, atMs }: Press,
): { readonly state: ChordState; readonly shortcut: Shortcut | null } {
  const idle = { goAtMs: null }
  if (state.goAtMs !== null && atMs - state.goAtMs <= chordMs && isGoToKey(key)) {
    return { state: idle, shortcut: { kind: 'go', path: goTo[key].path } }
  }
  if (key === 'g') return { state: { goAtMs: atMs }, shortcut: null }
  if (key === '?') return { state: idle, shortcut: { kind: 'help' } }
  if (key === '/') return { state: idle, shortcut: { kind: 'filter' } }
  return { state: idle, shortcut: null }
}

function isGoToKey(key: string): key is GoToKey {
  return Object.hasOwn(goTo, key)
}
