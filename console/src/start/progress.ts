export type StepState = 'done' | 'now' | 'next'

/** The agent asks for this through the public edge before it prints an address: no visitor did. */
const roundTripPrefix = '/.well-known/sluice-verify/'

/** The first of the requests that a visitor made. */
export function firstVisit<R extends { readonly path: string }>(requests: readonly R[]): R | null {
  return requests.find(({ path }) => !path.startsWith(roundTripPrefix)) ?? null
}

export interface Seen {
  readonly hasAuthtoken: boolean
  readonly hasOnlineTunnel: boolean
  readonly hasRequest: boolean
}

export interface Progress {
  readonly authtoken: StepState
  readonly tunnel: StepState
  readonly request: StepState
  readonly isComplete: boolean
}

/** Where the first run stands. A later thing that was seen proves the earlier ones. */
export function progressOf({ hasAuthtoken, hasOnlineTunnel, hasRequest }: Seen): Progress {
  const tunnel = hasOnlineTunnel || hasRequest
  const authtoken = hasAuthtoken || tunnel
  return {
    authtoken: authtoken ? 'done' : 'now',
    tunnel: tunnel ? 'done' : authtoken ? 'now' : 'next',
    request: hasRequest ? 'done' : tunnel ? 'now' : 'next',
    isComplete: hasRequest,
  }
}
