import { errors, isErrorCode } from '@sluice/schema/errors'

const requestTimeoutMs = 5_000

/** The control plane answered, and said no: it is not away. */
export class Refused extends Error {}

interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[]
  readonly code?: string
}

/** Asks the graph with the relay key. Throws `Refused` when the control plane says no, another error when it is away. */
export async function askGraph(
  { gatewayUrl, relayKey }: { readonly gatewayUrl: string; readonly relayKey: string },
  operation: {
    readonly operationName: string
    readonly query: string
    readonly variables: object
  },
  signal: AbortSignal,
  /** Takes what there is when a part of the control plane is away. */
  { partly = false } = {},
): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(new URL('/graphql', gatewayUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${relayKey}` },
    body: JSON.stringify(operation),
    signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
  })
  const answer = (await response.json()) as Answer
  const [error] = answer.errors ?? []
  if (response.ok && (!error || (partly && answer.data))) return answer.data ?? {}
  const code = error?.extensions?.code ?? answer.code ?? `status ${response.status}`
  const status = isErrorCode(code) ? errors[code].status : response.status
  throw status >= 500 ? new Error(code) : new Refused(code)
}
