import { randomBytes } from 'node:crypto'

import { SluiceError } from '@sluice/schema/errors'
import { cliOperations } from '@sluice/schema/operations/cli'

import { createAgentGrant, type AgentGrant, type Grant } from '../agent-grant.ts'
import type { Api } from '../api.ts'
import { isLoopback } from '../localhost.ts'
import { Interrupted } from '../problem.ts'
import { createScreenView } from '../screen-view.ts'
import { openAgentSession, type AgentSession } from '../session/agent-session.ts'
import { parseTarget, targetText, type Upstream } from '../target.ts'
import { startTunnelInput, type HttpFlags } from '../tunnel-input.ts'
import { createJsonView, createPlainView, type TunnelView } from '../tunnel-view.ts'
import { verifyRoundTrip } from '../verify-round-trip.ts'
import { version } from '../version.ts'
import { findViewer, viewerText } from '../viewer.ts'
import { apiOf, type CommandContext } from './context.ts'

const onlineTimeoutMs = 20_000
/** How long requests in flight may go on after Ctrl-C. */
const graceMs = 10_000

interface StartedTunnel {
  readonly urls: readonly string[]
  readonly edgeUrls: readonly string[]
  readonly tunnel: {
    readonly id: string
    readonly name: string
    readonly region: string
    readonly hostHeader: string | null
    readonly organization: { readonly id: string; readonly name: string } | null
  }
  readonly grant: Grant
}

/** Opens a tunnel to the target and serves it until the person stops, or somebody else does. */
export async function runHttp(
  target: string,
  flags: HttpFlags,
  context: CommandContext,
  open: typeof openAgentSession = openAgentSession,
): Promise<void> {
  const { io, output } = context
  const upstream = parseTarget(target)
  const input = startTunnelInput(flags, io.env)
  const api = apiOf(context)
  const [started, loggedInAs] = await Promise.all([
    api.query<{ startTunnel: StartedTunnel }>(cliOperations.startTunnel, { input }),
    findLogin(api),
  ])
  const { tunnel, urls } = started.startTunnel
  output.message(`Connecting ${tunnel.name} …`)

  const view = createView(context)
  const ended = new AbortController()
  const grant = createAgentGrant({
    api,
    tunnelId: tunnel.id,
    first: started.startTunnel.grant,
    signal: ended.signal,
  })
  const session = open({
    ...sessionOptions(context, upstream, started.startTunnel, flags),
    agentToken: endingWhenRefused(grant, ended),
  })
  endWith(session, io.signal, ended)
  try {
    const relayUrl = await untilOnline(session, started.startTunnel.edgeUrls, ended.signal)
    const nonce = randomBytes(18).toString('base64url')
    session.expectRoundTrip(nonce)
    await verifyRoundTrip({
      urls,
      nonce,
      basicAuth: input.policy?.basicAuth[0] ?? null,
      ca: context.settings.ca,
      signal: ended.signal,
    })
    const ready = {
      tunnelId: tunnel.id,
      name: tunnel.name,
      urls,
      target: targetText(upstream),
      region: tunnel.region,
      loggedInAs,
      organization: tunnel.organization?.name ?? null,
      relayUrl,
    }
    show(session, view)
    view.ready(ready)
    await untilEnded(ended.signal)
    view.closing()
    await session.close({ graceMs })
    view.close()
    view.stopped(ready)
  } catch (error) {
    view.close()
    throw await nameRevocation(error, api)
  } finally {
    // The way out of a failure: an orderly end has come by here already, and closing twice is nothing.
    view.close()
    ended.abort(new Interrupted())
    await session.close({ graceMs: 0 })
  }
}

function sessionOptions(
  { settings }: CommandContext,
  upstream: Upstream,
  { tunnel, edgeUrls }: StartedTunnel,
  flags: HttpFlags,
) {
  return {
    edgeUrls,
    upstream,
    hostHeader: flags.hostHeader ?? tunnel.hostHeader ?? 'preserve',
    agentVersion: version,
    allowSelfSigned: edgeUrls.every((url) => isLoopback(new URL(url).hostname)),
    ...(settings.ca === undefined ? {} : { ca: settings.ca }),
  }
}

/** A renewal that is refused for good ends the tunnel: replaced by a newer start, stopped, revoked. */
function endingWhenRefused(grant: AgentGrant, ended: AbortController) {
  return async (need: { readonly expiredWillDo: boolean }) => {
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

function show(session: AgentSession, view: TunnelView): void {
  session.on('online', () => view.online())
  session.on('offline', ({ reason, retryInMs }) => view.offline(reason, retryInMs))
  session.on('latency', ({ ms }) => view.latency(ms))
  session.on('connections', ({ open, total }) => view.connections(open, total))
  session.on('request', (request) => view.request(request))
}

function createView({ io, output }: CommandContext): TunnelView {
  const { stdin, stdout, env } = io
  if (output.json) return createJsonView(output)
  if (!stdout.isTTY || output.quiet || env['TERM'] === 'dumb') return createPlainView(output)
  return createScreenView({
    stdin,
    stdout,
    output,
    quit: () => io.quit(),
    interrupt: () => io.interrupt(),
    onExit: (restore) => io.onExit(restore),
  })
}

const authtokenCodes = new Set(['SLUICE_AUTHTOKEN_INVALID', 'SLUICE_UNAUTHENTICATED'])

/** A relay says only that a session was revoked. What to do depends on what was: the authtoken or the tunnel. */
async function nameRevocation(error: unknown, api: Api): Promise<unknown> {
  if (!(error instanceof SluiceError) || error.code !== 'SLUICE_SESSION_REVOKED') return error
  try {
    await findViewer(api)
  } catch (refusal) {
    if (refusal instanceof SluiceError && authtokenCodes.has(refusal.code)) {
      return new SluiceError('SLUICE_AUTHTOKEN_INVALID', {}, { cause: error })
    }
  }
  return error
}

/** For the eye only: a tunnel opens without it. */
async function findLogin(api: Api): Promise<string> {
  try {
    return viewerText(await findViewer(api))
  } catch {
    // Whatever is wrong, the mutation beside it meets it too, and its failure is the one to show.
    return 'not known'
  }
}
