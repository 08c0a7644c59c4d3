/** What the address says of the filter. Times are days, `2026-11-21`, in UTC. */
export interface AuditSearch {
  readonly action?: string | undefined
  readonly actor?: string | undefined
  readonly target?: string | undefined
  readonly text?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly view?: 'proof' | 'streams' | undefined
}

const filterNames = ['text', 'actor', 'target', 'action', 'from', 'to'] as const
type FilterName = (typeof filterNames)[number]
export type AuditFilter = Pick<AuditSearch, FilterName>

const day = /^\d{4}-\d\d-\d\d$/

export function auditSearchOf(search: Record<string, unknown>): AuditSearch {
  const found: Partial<Record<FilterName, string>> = {}
  for (const name of filterNames) {
    const value = search[name]
    if (typeof value !== 'string' || value === '') continue
    if ((name === 'from' || name === 'to') && !isDay(value)) continue
    found[name] = value
  }
  const { view } = search
  return { ...found, ...(view === 'proof' || view === 'streams' ? { view } : {}) }
}

/** As the graph and the export take it: days become instants, the last one to its end. */
export function variablesOf({ from, to, ...rest }: AuditFilter) {
  return {
    text: rest.text ?? null,
    actor: rest.actor ?? null,
    target: rest.target ?? null,
    action: rest.action ?? null,
    from: from ? `${from}T00:00:00.000Z` : null,
    to: to ? new Date(Date.parse(to) + 86_400_000).toISOString() : null,
  }
}

export function isFiltered(filter: AuditFilter): boolean {
  return filterNames.some((name) => filter[name] !== undefined)
}

function isDay(text: string): boolean {
  return day.test(text) && !Number.isNaN(Date.parse(text))
}
