import type { RequestFilter } from '../gql/graphql.ts'

export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const
export type StatusClass = (typeof statusClasses)[number]

export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const

/** Everything of the requests page that someone may share: its address holds it. */
export interface RequestSearch {
  /** Only this tunnel's, as they happen. */
  readonly tunnel?: string
  readonly method?: string
  readonly status?: StatusClass
  /** Starts with `/`: the path begins so. Otherwise: the path contains it. */
  readonly path?: string
  /** The request whose details are open. */
  readonly request?: string
}

export const pathFilterMax = 200

/** Reads the address. What is not understood is left out, so that an old link still opens. */
export function parseRequestSearch(raw: Record<string, unknown>): RequestSearch {
  const tunnel = textOf(raw['tunnel'])
  const method = textOf(raw['method'])?.toUpperCase()
  const status = statusClasses.find((each) => each === raw['status'])
  const path = textOf(raw['path'])?.slice(0, pathFilterMax)
  const request = textOf(raw['request'])
  return {
    ...(tunnel && { tunnel }),
    ...(method && /^[A-Z]{1,32}$/.test(method) && { method }),
    ...(status && { status }),
    ...(path && { path }),
    ...(request && { request }),
  }
}

/** The same filter for the server, or null when nothing is filtered. */
export function requestFilterOf({ method, status, path }: RequestSearch): RequestFilter | null {
  if (!method && !status && !path) return null
  const statusMin = status ? Number(status[0]) * 100 : undefined
  return {
    ...(method && { method }),
    ...(statusMin && { statusMin, statusMax: statusMin + 99 }),
    ...(path && (path.startsWith('/') ? { pathPrefix: path } : { pathContains: path })),
  }
}

interface Filtered {
  readonly method: string
  readonly path: string
  readonly status: number
}

/** The same filter for a request that the stream brought. */
export function matchesSearch(search: RequestSearch, request: Filtered): boolean {
  const { method, status, path } = search
  if (method && request.method !== method) return false
  if (status && Math.floor(request.status / 100) !== Number(status[0])) return false
  if (!path) return true
  return path.startsWith('/') ? request.path.startsWith(path) : request.path.includes(path)
}

function textOf(value: unknown): string | undefined {
  // The router reads `?path=404` as a number.
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}
