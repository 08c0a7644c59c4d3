import { randomBytes } from 'node:crypto'

import { SluiceError } from '@sluice/schema/errors'
import { cliOperations } from '@sluice/schema/operations/cli'
import type { ForwarderOptions, ProxyProtocolVersion } from '@sluice/wire'

import { createAgentGrant, type AgentGrant, type Grant } from './agent-grant.ts'
import type { Api } from './api.ts'
import { isLoopback } from './localhost.ts'
import { Interrupted } from './problem.ts'
import type { ProxyOf } from './proxy.ts'
import {
  openAgentSession,
  type AgentSession,
  type RawOptions,
  type TokenNeed,
} from './session/agent-session.ts'
import type { TargetGuard } from './target-guard.ts'
import type { Upstream } from './target.ts'
import type { StartTunnelInput } from './tunnel-input.ts'
import { verifyPort } from './verify-port.ts'
import { verifyRoundTrip } from './verify-round-trip.ts'
import { version } from './version.ts'
import { findViewer } from './viewer.ts'

const onlineTimeoutMs = 20_000

interface StartedTunnel {
  readonly urls: readonly string[]
  readonly tunnel: {
    readonly id: string
    readonly name: string
    readonly region: string
    readonly hostHeader: string | null
    readonly organization: { readonly id: string; readonly name: string } | null
  }
  readonly grant: Grant
}

export interface OpenTunnelOptions {
  readonly api: Api
  readonly input: StartTunnelInput
  readonly upstream: Upstream
  /** PEM certificates to trust for relay and public address, instead of the system's. */
  readonly ca: string | undefined
  readonly proxyOf?: ProxyOf | undefined
  /** Checks the target, and every address that its name leads to. */
  readonly guard: TargetGuard
  /** For HTTP: tells the upstream who the visitor is. */
  readonly proxyProtocol?: ProxyProtocolVersion | undefined
  /** For kinds other than HTTP. */
  readonly raw?: RawOptions
  /** What the inspector listens with. */
  readonly tap?: ForwarderOptions['tap']
  /** The wish to stop: ends waiting, and is the reason that `ended` then has. */
  readonly signal: AbortSignal
  readonly openSession?: typeof openAgentSession
}

/** A tunnel that the server started, and the session that serves it. */
export interface OpenTunnel {
  readonly id: string
  readonly name: string
  readonly region: string
  readonly organization: string | null
  readonly urls: readonly string[]
  /** What the service gets as Host: `preserve`, `rewrite`, or a name. */
  readonly hostHeader: string
  readonly session: AgentSession
  /** Aborted when the session is over. The reason is `Interrupted`, or what somebody else ended it with. */
  readonly ended: AbortSignal
  /** Waits until a relay has it and, for HTTP, a request through the public address came back. Returns the relay. */
  reached(): Promise<string>
  /** For other kinds: makes the way through the public address. Answers why that failed; it may work for others. */
  checkPort(): Promise<string | undefined>
  /** Returns when the person wants to stop, and throws when somebody else ended the session. */
  untilEnded(): Promise<void>
  /** What a failure means, once the server was asked where only it can tell. */
  explain(error: unknown): Promise<unknown>
  close(options: { readonly graceMs: number }): Promise<void>
}

/** Starts a tunnel and its session, which dials at once. */
export async function openTunnel(options: OpenTunnelOptions): Promise<OpenTunnel> {
  const { api, input, ca, proxyOf, guard, signal, openSession = openAgentSession } = options
  guard.check(options.upstream)
  const upstream = { ...options.upstream, lookup: guard.lookup }
  const { startTunnel: started } = await api.query<{ startTunnel: StartedTunnel }>(
    cliOperations.startTunnel,
    { input },
  )
  const { tunnel, urls } = started
  const { edges = [] } = started.grant
  const edgeUrls = edges.map(({ url }) => url)
  const ended = new AbortController()
  const grant = createAgentGrant({
    api,
    tunnelId: tunnel.id,
    first: started.grant,
    signal: ended.signal,
    onEdges: (now) => session.offerEdges(now),
    onHostHeader: (hostHeader) => session.rehost(hostHeader ?? 'preserve'),
  })
  const hostHeader = input.hostHeader ?? tunnel.hostHeader ?? 'preserve'
  const session: AgentSession = openSession({
    edges,
    upstream,
    hostHeader,
    agentVersion: version,
    allowSelfSigned: edgeUrls.every((url) => isLoopback(new URL(url).hostname)),
    ...(ca === undefined ? {} : { ca }),
    proxyOf,
    tap: options.tap,
    agentToken: endingWhenRefused(grant, ended),
    raw: options.raw,
    proxyProtocol: options.proxyProtocol,
  })
  endWith(session, signal, ended)
  // Listens from the start: the session may be online before anybody asks. Whoever asks gets the failure.
  const online = untilOnline(session, edgeUrls, ended.signal)
  online.catch(() => undefined)

  return {
    id: tunnel.id,
    name: tunnel.name,
    region: tunnel.region,
    organization: tunnel.organization?.name ?? null,
    urls,
    hostHeader,
    session,
    ended: ended.signal,
    async reached() {
      const relayUrl = await online
      if (options.raw) return relayUrl
      const nonce = randomBytes(18).toString('base64url')
      session.expectRoundTrip(nonce)
      const basicAuth = input.policy?.basicAuth[0] ?? null
      await verifyRoundTrip({ urls, nonce, basicAuth, ca, proxyOf, signal: ended.signal })
      return relayUrl
    },
    async checkPort() {
      const nonce = randomBytes(18).toString('base64url')
      session.expectRoundTrip(nonce)
      try {
        return await verifyPort(urls[0] ?? '', nonce, ended.signal)
      } finally {
        session.forgetRoundTrip(nonce)
      }
    },
    untilEnded: () => untilEnded(ended.signal),
    explain: (error) => nameRevocation(error, api),
    async close({ graceMs }) {
      ended.abort(new Interrupted())
      await session.close({ graceMs })
    },
  }
}

/** A renewal that is refused for good ends the tunnel: replaced by a newer start, stopped, revoked. */
function endingWhenRefused(grant: AgentGrant, ended: AbortController) {
  return async (need: TokenNeed) => {
    try {
      return await grant.agentToken(need)
    } catch (error) {
      ended.abort(error)
      throw error
    }
  }
}

/** Aborts `ended` with the reason when the session is over, whoever ended it. */
function endWith(session: AgentSession, interrupted: AbortSignal, ended: AbortController): void {
  session.on('fatal', (error) => ended.abort(error))
  const stop = () => ended.abort(new Interrupted())
  interrupted.addEventListener('abort', stop, { once: true })
  ended.signal.addEventListener('abort', () => interrupted.removeEventListener('abort', stop))
  if (interrupted.aborted) stop()
}

/** The relay that took the session. The last reason for its absence goes into the failure. */
function untilOnline(
  session: AgentSession,
  edgeUrls: readonly string[],
  ended: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let reason = 'it did not answer'
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      session.off('online', onOnline)
      session.off('offline', onOffline)
      ended.removeEventListener('abort', onEnded)
      settle()
    }
    const onOnline = ({ relayUrl }: { relayUrl: string }) => finish(() => resolve(relayUrl))
    const onOffline = (lost: { reason: string }) => {
      reason = lost.reason
    }
    const onEnded = () => finish(() => reject(ended.reason as Error))
    const timer = setTimeout(() => {
      const seconds = onlineTimeoutMs / 1000
      const relay = edgeUrls[0] ?? 'any relay'
      finish(() => reject(new SluiceError('SLUICE_RELAY_UNREACHABLE', { relay, seconds, reason })))
    }, onlineTimeoutMs)
    session.on('online', onOnline)
    session.on('offline', onOffline)
    ended.addEventListener('abort', onEnded)
    if (ended.aborted) onEnded()
  })
}

/** Returns when the person wants to stop, and throws when somebody else ended the session. */
async function untilEnded(ended: AbortSignal): Promise<void> {
  if (!ended.aborted) {
    await new Promise((resolve) => {
      ended.addEventListener('abort', resolve, { once: true })
    })
  }
  if (!(ended.reason instanceof Interrupted)) throw ended.reason
}

const authtokenCodes = new Set(['SLUICE_AUTHTOKEN_INVALID', 'SLUICE_UNAUTHENTICATED'])
/** These say more than that the authtoken is not valid. */
const tellingCodes = new Set(['SLUICE_AUTHTOKEN_EXPIRED', 'SLUICE_AUTHTOKEN_IP_REFUSED'])

const suspendedCodes = new Set(['SLUICE_ORGANIZATION_SUSPENDED', 'SLUICE_USER_SUSPENDED'])

/** A relay says only that a session was revoked. What to do depends on what was: the authtoken, the tunnel, or all of it. */
async function nameRevocation(error: unknown, api: Api): Promise<unknown> {
  if (!(error instanceof SluiceError) || error.code !== 'SLUICE_SESSION_REVOKED') return error
  try {
    await findViewer(api)
  } catch (refusal) {
    if (refusal instanceof SluiceError && authtokenCodes.has(refusal.code)) {
      return new SluiceError('SLUICE_AUTHTOKEN_INVALID', {}, { cause: error })
    }
    if (refusal instanceof SluiceError && tellingCodes.has(refusal.code)) return refusal
    // With the reason that staff has given.
    if (refusal instanceof SluiceError && suspendedCodes.has(refusal.code)) return refusal
  }
  return error
}
