import { once } from 'node:events'
import type { Server } from 'node:http'
import { env as processEnv } from 'node:process'

import { createApi } from './api.ts'
import { authtokenOf } from './commands/context.ts'
import { readSettings } from './config.ts'
import { openTunnel, type OpenTunnel } from './open-tunnel.ts'
import { shownProblemOf } from './problem.ts'
import { proxyFromEnvironment } from './proxy.ts'
import { createTargetGuard } from './target-guard.ts'
import { parseTarget } from './target.ts'

/**
 * Where requests go: a port of this machine, `host:port`, `http://host:port`, `https://host:port`, or a server. A server
 * that does not listen yet is made to, on a free port of loopback, and `close` closes it again.
 */
export type ListenTarget = number | string | Server

export interface ListenOptions {
  /** The name in the public address; without it a free one. */
  readonly name?: string
  /** Where the relay stands; without it the nearest that is ready. */
  readonly region?: string
  /** Host sent to the service: `preserve` (default), `rewrite`, or a name. */
  readonly hostHeader?: string
  readonly policy?: {
    readonly basicAuth?: readonly { readonly user: string; readonly password: string }[]
    readonly allowIps?: readonly string[]
    readonly denyIps?: readonly string[]
  }
  /** Without it `SLUICE_AUTHTOKEN`, then what `sluice login` has saved for the server. */
  readonly authtoken?: string
  /** The server’s address; without it `SLUICE_SERVER`, then the one of the last login. */
  readonly server?: string
  /** PEM certificates to trust for server and relay instead of the system’s. */
  readonly ca?: string
  /** `http://user:password@host:port` of an HTTP CONNECT proxy. The environment is not asked. */
  readonly proxy?: string
  /** Link-local and metadata addresses that the target may lead to all the same. */
  readonly allowTargets?: readonly string[]
  /** Gives up waiting, and closes the tunnel when it is open. */
  readonly signal?: AbortSignal
}

/** One request that a visitor made, as it ended. */
export interface TunnelRequest {
  readonly method: string
  readonly path: string
  /** The status that the visitor saw. */
  readonly status: number
  /** Set when the agent or relay answered in the service’s place. */
  readonly code?: string
  readonly durationMs: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly visitorIp: string
  readonly startedAt: Date
}

export interface TunnelEvents {
  /** Visitors are served again. */
  readonly online: { readonly relayUrl: string }
  /** The relay was lost; the tunnel reconnects by itself. */
  readonly offline: { readonly reason: string; readonly retryInMs: number }
  readonly request: TunnelRequest
  /** The last event. `error` is null after `close` or an abort, else it is what ended the tunnel. */
  readonly closed: { readonly error: ListenError | null }
}

/** A tunnel that visitors reach. */
export interface Tunnel extends AsyncDisposable {
  /** The first public address. */
  readonly url: string
  readonly urls: readonly string[]
  readonly name: string
  readonly region: string
  /** Returns what takes the listener away. */
  on<Name extends keyof TunnelEvents>(
    name: Name,
    listener: (event: TunnelEvents[Name]) => void,
  ): () => void
  /** Takes no new requests and lets those in flight finish for so long (5 seconds by default). */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

/** Why a tunnel did not open, or ended. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  /** Stable: scripts may compare it. */
  readonly code: string
  readonly detail: string
  /** What to do about it. */
  readonly fix: string
  readonly docs: string

  constructor(
    problem: {
      readonly code: string
      readonly title: string
      readonly cause: string
      readonly fix: string
      readonly docs: string
    },
    options?: ErrorOptions,
  ) {
    super(problem.title, options)
    this.code = problem.code
    this.detail = problem.cause
    this.fix = problem.fix
    this.docs = problem.docs
  }
}

const graceMsDefault = 5_000

/**
 * Puts a service of this process or machine on a public address. Resolves once a request through that address has come
 * back; rejects with a `ListenError`, or with the reason of the signal.
 */
export async function listen(target: ListenTarget, options: ListenOptions = {}): Promise<Tunnel> {
  const { signal = new AbortController().signal } = options
  signal.throwIfAborted()
  let server: string | null = null
  let own: Server | null = null
  try {
    const settings = await readSettings(
      { server: options.server },
      // All of the environment that counts here; none of it when both values are given.
      {
        HOME: processEnv['HOME'],
        XDG_CONFIG_HOME: processEnv['XDG_CONFIG_HOME'],
        SLUICE_SERVER: processEnv['SLUICE_SERVER'],
        SLUICE_AUTHTOKEN: options.authtoken ?? processEnv['SLUICE_AUTHTOKEN'],
      },
    )
    server = settings.server
    own = typeof target === 'object' && !target.listening ? await bind(target) : null
    const proxyOf = proxyFromEnvironment({}, options.proxy)
    const { ca } = options
    const authtoken = authtokenOf(settings)
    const tunnel = await openTunnel({
      api: createApi({ server, authtoken, ca, proxyOf, signal }),
      input: inputOf(options),
      upstream: upstreamOf(target),
      ca,
      proxyOf,
      guard: createTargetGuard(options.allowTargets),
      signal,
    })
    try {
      await tunnel.reached()
    } catch (error) {
      await tunnel.close({ graceMs: 0 })
      throw await tunnel.explain(error)
    }
    return handleOf(tunnel, { server, own, signal })
  } catch (error) {
    own?.close()
    signal.throwIfAborted()
    throw listenError(error, server)
  }
}

interface Surroundings {
  readonly server: string
  /** The server that `listen` made listen. */
  readonly own: Server | null
  readonly signal: AbortSignal
}

function handleOf(tunnel: OpenTunnel, { server, own, signal }: Surroundings): Tunnel {
  const { session } = tunnel
  const [url = ''] = tunnel.urls
  const listeners: { [Name in keyof TunnelEvents]: Set<(event: TunnelEvents[Name]) => void> } = {
    online: new Set(),
    offline: new Set(),
    request: new Set(),
    closed: new Set(),
  }
  const tell = <Name extends keyof TunnelEvents>(name: Name, event: TunnelEvents[Name]) => {
    for (const listener of listeners[name]) listener(event)
  }
  session.on('online', ({ relayUrl }) => tell('online', { relayUrl }))
  session.on('offline', ({ reason, retryInMs }) => tell('offline', { reason, retryInMs }))
  const closing = Promise.withResolvers<void>()
  let isClosing = false

  function close({ graceMs = graceMsDefault } = {}): Promise<void> {
    if (!isClosing) {
      // Closing ends the session, and that tells of an end: it must find the flag set.
      isClosing = true
      end(graceMs, null).then(closing.resolve, closing.reject)
    }
    return closing.promise
  }
  async function end(graceMs: number, reason: unknown): Promise<void> {
    await tunnel.close({ graceMs })
    if (own) {
      own.close()
      own.closeAllConnections()
    }
    tell('closed', { error: reason === null ? null : listenError(reason, server) })
  }
  tunnel.ended.addEventListener('abort', () => {
    // An abort of the caller is a wish, everything else is a failure that somebody should hear of.
    if (signal.aborted) void close({ graceMs: 0 })
    else if (!isClosing) {
      isClosing = true
      const ending = tunnel.explain(tunnel.ended.reason).then((reason) => end(0, reason))
      ending.then(closing.resolve, closing.reject)
    }
  })

  return {
    url,
    urls: tunnel.urls,
    name: tunnel.name,
    region: tunnel.region,
    on(name, listener) {
      // Nothing is put together for requests until somebody wants to hear of them.
      if (name === 'request' && session.listenerCount('request') === 0) {
        session.on('request', (request) => tell('request', request))
      }
      listeners[name].add(listener)
      return () => void listeners[name].delete(listener)
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}

function inputOf({ name, region, hostHeader, policy }: ListenOptions) {
  return {
    ...(name === undefined ? {} : { name }),
    ...(region === undefined ? {} : { region }),
    ...(hostHeader === undefined ? {} : { hostHeader }),
    ...(policy === undefined
      ? {}
      : {
          policy: {
            basicAuth: policy.basicAuth ?? [],
            allowIps: policy.allowIps ?? [],
            denyIps: policy.denyIps ?? [],
          },
        }),
  }
}

function upstreamOf(target: ListenTarget) {
  if (typeof target !== 'object') return parseTarget(String(target))
  const address = target.address()
  if (typeof address !== 'object' || address === null) {
    throw new TypeError('The server listens on a socket file: a tunnel needs a port.')
  }
  // A server on all addresses is reached on loopback.
  const isAny = address.address === '::' || address.address === '0.0.0.0'
  // A server of `node:https` has certificates; one of `node:http` has not.
  const tls = 'setSecureContext' in target
  return { ...parseTarget(String(address.port)), host: isAny ? 'localhost' : address.address, tls }
}

async function bind(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function listenError(error: unknown, server: string | null): ListenError {
  if (error instanceof ListenError) return error
  return new ListenError(shownProblemOf(error, server), { cause: error })
}
