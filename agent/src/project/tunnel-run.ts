import { SluiceError } from '@sluice/schema/errors'
import { cliOperations } from '@sluice/schema/operations/cli'

import { isPassing, type Api } from '../api.ts'
import { createBackoff } from '../backoff.ts'
import { delay } from '../delay.ts'
import type { OpenTunnel, OpenTunnelOptions, openTunnel } from '../open-tunnel.ts'
import { isRefused } from '../probe-upstream.ts'
import { Interrupted } from '../problem.ts'
import type { ForwardedConnection, ForwardedRequest } from '../session/forwarded.ts'
import type { ProjectTunnel } from './read-project.ts'

const retryBaseMs = 1_000
const retryCapMs = 60_000

/** Failures of a start that may pass by themselves, besides those of the graph. */
const passingCodes = new Set(['SLUICE_RELAY_UNREACHABLE', 'SLUICE_ROUND_TRIP_FAILED'])

/** What is not as it should be with a tunnel that is ready all the same. */
interface ReadyRemarks {
  /** Of other kinds than HTTP: why this machine could not make the way through the public address. */
  readonly unreached?: string
  /** Of HTTP: nothing listens at the target yet. */
  readonly targetRefused?: true
}

/** What is told about the tunnels of a project, each by its key. */
export interface ProjectListener {
  ready(key: string, tunnel: OpenTunnel, spec: ProjectTunnel, remarks: ReadyRemarks): void
  online(key: string): void
  offline(key: string, reason: string, retryInMs: number): void
  request(key: string, request: ForwardedRequest): void
  connection(key: string, connection: ForwardedConnection): void
  /** `retryInMs` is null when nothing but a change of the file or the server helps. */
  failed(key: string, error: unknown, retryInMs: number | null): void
  changed(key: string, parts: readonly string[]): void
  stopped(key: string): void
}

export interface TunnelRunOptions extends Pick<
  OpenTunnelOptions,
  'ca' | 'proxyOf' | 'guard' | 'openSession'
> {
  readonly api: Api
  readonly listener: ProjectListener
  readonly open: typeof openTunnel
  /** The inspector’s listener for one tunnel. */
  readonly tapOf: (spec: ProjectTunnel) => OpenTunnelOptions['tap']
  readonly random?: () => number
}

/** One tunnel of a project file, kept open: what passes is tried again, what does not is said. */
export class TunnelRun {
  readonly #options: TunnelRunOptions
  readonly #stop = new AbortController()
  readonly done: Promise<void>
  /** What is in force. */
  #spec: ProjectTunnel
  #tunnel: OpenTunnel | null = null
  /** Set once nothing is tried any more. */
  failure: unknown

  constructor(spec: ProjectTunnel, options: TunnelRunOptions) {
    this.#spec = spec
    this.#options = options
    this.done = this.#run()
  }

  get key(): string {
    return this.#spec.key
  }

  /** Whether the wish is the one in force. */
  isAt(spec: ProjectTunnel): boolean {
    return this.failure === undefined && JSON.stringify(spec) === JSON.stringify(this.#spec)
  }

  /** Takes over a changed wish while visitors are served. False when only a new start can. */
  async change(next: ProjectTunnel): Promise<boolean> {
    const tunnel = this.#tunnel
    const from = this.#spec
    if (!tunnel || this.failure !== undefined || startOf(from) !== startOf(next)) return false
    const isPolicyChanged = !isSame(from.input.policy, next.input.policy)
    const isHostChanged = from.input.hostHeader !== next.input.hostHeader
    const isTargetChanged = !isSame(from.upstream, next.upstream)
    if (isPolicyChanged || isHostChanged) await this.#update(tunnel, next, isPolicyChanged)
    if (isTargetChanged || isHostChanged) {
      const { lookup } = this.#options.guard
      tunnel.session.retarget({
        upstream: { ...next.upstream, lookup },
        hostHeader: next.input.hostHeader ?? 'preserve',
      })
    }
    this.#spec = next
    // Replays follow the change as visitors do.
    this.#options.tapOf(next)
    this.#options.listener.changed(this.key, [
      ...(isPolicyChanged ? ['policy'] : []),
      ...(isHostChanged ? ['host-header'] : []),
      ...(isTargetChanged ? ['target'] : []),
    ])
    return true
  }

  async #update(tunnel: OpenTunnel, { input }: ProjectTunnel, withPolicy: boolean): Promise<void> {
    // A policy that the file no longer mentions is one that it no longer wants.
    const policy = input.policy ?? { basicAuth: [], allowIps: [], denyIps: [] }
    await this.#options.api.query(cliOperations.updateTunnel, {
      tunnelId: tunnel.id,
      input: { hostHeader: input.hostHeader ?? null, ...(withPolicy ? { policy } : {}) },
    })
    // The relay would follow at the next renewal; the person who saved the file watches now.
    tunnel.session.renew()
  }

  /** Lets requests in flight finish for so long. */
  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    const tunnel = this.#tunnel
    this.#stop.abort(new Interrupted())
    await tunnel?.close({ graceMs })
    await this.done
  }

  async #run(): Promise<void> {
    const { listener, random } = this.#options
    const { signal } = this.#stop
    const backoff = createBackoff({
      baseMs: retryBaseMs,
      capMs: retryCapMs,
      ...(random ? { random } : {}),
    })
    while (!signal.aborted) {
      try {
        await this.#serve(() => backoff.reset())
      } catch (error) {
        if (signal.aborted) return
        if (!canPass(error)) {
          this.failure = error
          listener.failed(this.key, error, null)
          return
        }
        const retryInMs = backoff.nextMs()
        listener.failed(this.key, error, retryInMs)
        await delay(retryInMs, signal)
      }
    }
  }

  /** Opens the tunnel and serves it to its end. */
  async #serve(onReady: () => void): Promise<void> {
    const { api, listener, open, tapOf, ca, proxyOf, guard, openSession } = this.#options
    const spec = this.#spec
    const tunnel = await open({
      api,
      ca,
      proxyOf,
      guard,
      input: spec.input,
      upstream: spec.upstream,
      signal: this.#stop.signal,
      tap: tapOf(spec),
      ...(spec.raw ? { raw: spec.raw } : {}),
      proxyProtocol: spec.proxyProtocol,
      ...(openSession ? { openSession } : {}),
    })
    try {
      await tunnel.reached()
      const remarks = await remarksOf(tunnel, spec, guard)
      const { session } = tunnel
      session.on('online', () => listener.online(this.key))
      session.on('offline', ({ reason, retryInMs }) =>
        listener.offline(this.key, reason, retryInMs),
      )
      session.on('request', (request) => listener.request(this.key, request))
      session.on('connection', (connection) => listener.connection(this.key, connection))
      this.#tunnel = tunnel
      onReady()
      listener.ready(this.key, tunnel, spec, remarks)
      await tunnel.untilEnded()
    } catch (error) {
      throw await tunnel.explain(error)
    } finally {
      // After a wish to stop it is `stop` that closes, and waits for what is in flight.
      const isLeftToStop = this.#stop.signal.aborted && this.#tunnel === tunnel
      this.#tunnel = null
      if (!isLeftToStop) await tunnel.close({ graceMs: 0 })
    }
  }
}

async function remarksOf(
  tunnel: OpenTunnel,
  { raw, upstream }: ProjectTunnel,
  guard: TunnelRunOptions['guard'],
): Promise<ReadyRemarks> {
  if (!raw) return (await isRefused(upstream, guard)) ? { targetRefused: true } : {}
  const unreached = await tunnel.checkPort()
  return unreached === undefined ? {} : { unreached }
}

function canPass(error: unknown): boolean {
  return isPassing(error) || (error instanceof SluiceError && passingCodes.has(error.code))
}

/** What only a new start can change. */
function startOf({ kind, input, raw, proxyProtocol, inspect }: ProjectTunnel): string {
  const { policy: _policy, hostHeader: _hostHeader, ...rest } = input
  return JSON.stringify([kind, inspect, raw, proxyProtocol, rest])
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
