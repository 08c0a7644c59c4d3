import { connect as connectTcp, type Socket } from 'node:net'
import { TLSSocket, connect as connectTls } from 'node:tls'

import type { TunnelRoute } from '@sluice/schema/redis'
import type { HeartbeatIo, Session } from '@sluice/wire'

import type { TunnelSession } from '../sessions.ts'
import { PeerLink } from './peer-link.ts'
import { writePreface, type Preface } from './preface.ts'
import type { Found, Routes } from './routes.ts'
import { untilTaken } from './taken.ts'

/** A relay that does not answer is soon given up: its host may be served by another one. */
const connectTimeoutMs = 2_000
/** Relays with a link; the one that has waited longest without a request gives way. */
const linksMax = 256
/** Nobody holds a port 0: whichever relay reads that it is meant for one closes, and has shown life. */
const nobodysPort = 'tcp:0'

export interface PeersOptions {
  readonly relayId: string
  readonly secret: string
  /** PEM certificates that relays at `tls://` addresses are trusted by. */
  readonly ca?: string | undefined
  readonly routes: Routes
  /** What was held for visitors may go. */
  readonly onChunkEnd: () => void
  readonly onForward: () => void
  /** A relay with requests under way has shown no life for 20 to 25 s: they were given up. */
  readonly onSilent: (relayId: string) => void
  /** What its silence is measured by. */
  readonly heartbeat?: HeartbeatIo | undefined
}

/** The way to a tunnel that another relay holds. */
export class PeerWay {
  readonly tunnelId: string
  readonly holder: TunnelRoute
  /** Requests that go this way now. */
  active = 0
  readonly link: PeerLink

  constructor(tunnelId: string, holder: TunnelRoute, link: PeerLink) {
    this.tunnelId = tunnelId
    this.holder = holder
    this.link = link
  }

  get session(): Session {
    return this.link.session()
  }

  /** Requests in flight per session at its end, as far as they came from here. */
  get load(): number {
    return this.active / this.holder.sessions
  }
}

/** What a raw connection to another relay is for. */
export interface RawPurpose {
  readonly name: string
  readonly visitorIp: string
  readonly visitorPort: number
}

/** The links to other relays, and the choice among those that hold a tunnel. */
export class Peers {
  readonly #options: PeersOptions
  readonly #links = new Map<string, PeerLink>()
  readonly #ways = new Map<string, PeerWay>()

  constructor(options: PeersOptions) {
    this.#options = options
  }

  /** The way to a name if it is known by heart; null when it is known that there is none. */
  peek(name: string): PeerWay | null | undefined {
    const found = this.#options.routes.peek(name)
    if (!found) return found
    const holder = this.#choose(found, noRelays)
    if (!holder) return null
    return this.#links.has(keyOf(holder)) ? this.#wayTo(found, holder) : undefined
  }

  /** The way to a name, past the relays to avoid. */
  async find(name: string, avoid: ReadonlySet<string> = noRelays): Promise<PeerWay | undefined> {
    const found = await this.#options.routes.find(name)
    const holder = found && this.#choose(found, avoid)
    if (!found || !holder) return undefined
    await this.#open(holder)
    return this.#wayTo(found, holder)
  }

  /** Another relay whose pooled sessions of the tunnel have less to do than ours. */
  lighter(name: string, tunnel: TunnelSession): PeerWay | undefined {
    if (tunnel.active === 0) return undefined
    const way = this.peek(name)
    if (way === undefined) void this.find(name)
    const together = way?.holder.pooling && way.holder.epoch === tunnel.claims.epoch
    return way && together && way.load < tunnel.active ? way : undefined
  }

  /** What was known of a name has proved wrong. */
  forget(name: string): void {
    this.#options.routes.forget([name])
  }

  /**
   * A connection for one visitor's TLS bytes, its purpose already written, to a relay that must make the handshake of this
   * name itself. Undefined when there is none, or any relay may make it. The caller hears its errors.
   */
  async connectRaw(purpose: RawPurpose): Promise<Socket | undefined> {
    const found = await this.#options.routes.find(purpose.name)
    const holder = found && this.#choose(found, noRelays)
    if (!holder?.handshake) return undefined
    const socket = this.#dial(holder, { mode: 'raw', ...purpose, epoch: holder.epoch })
    const timer = setTimeout(() => {
      socket.destroy(new Error('the other relay does not answer'))
    }, connectTimeoutMs)
    const stop = (): void => clearTimeout(timer)
    return socket
      .once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', stop)
      .once('close', stop)
  }

  /**
   * A connection for one visitor of a port, to the relay that has its agent and has said that it takes it: paused, and its
   * errors heard. Undefined when there is none now; nothing of the visitor has been sent then, so that it may be tried again.
   */
  async connectPort(purpose: RawPurpose): Promise<Socket | undefined> {
    const found = await this.#options.routes.find(purpose.name)
    const holder = found && this.#choose(found, noRelays)
    if (!holder) return undefined
    const socket = this.#dial(holder, { mode: 'raw', ...purpose, epoch: holder.epoch })
    if (await untilTaken(socket, connectTimeoutMs)) {
      this.#options.onForward()
      return socket
    }
    this.forget(purpose.name)
    return undefined
  }

  /** Whether another relay holds a name, by what Redis says now. */
  isElsewhere(name: string): Promise<boolean> {
    return this.#options.routes.isElsewhere(name)
  }

  /** A request goes this way. Call the result once, when it has ended. */
  enter(way: PeerWay): () => void {
    way.active += 1
    way.link.watch()
    this.#options.onForward()
    return () => {
      way.active -= 1
      const key = wayKeyOf(way.tunnelId, way.holder)
      if (way.active === 0 && this.#ways.get(key) === way) this.#ways.delete(key)
    }
  }

  close(): void {
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
  }

  /** The highest epoch decides; among relays that pool, the one with the least in flight from here. */
  #choose({ tunnelId, holders }: Found, avoid: ReadonlySet<string>): TunnelRoute | undefined {
    let best: TunnelRoute | undefined
    let bestLoad = 0
    for (const holder of holders) {
      if (holder.peerUrl === '' || avoid.has(holder.relayId)) continue
      const load = this.#ways.get(wayKeyOf(tunnelId, holder))?.load ?? 0
      const newer = !best || holder.epoch > best.epoch
      if (!newer && (holder.epoch < (best?.epoch ?? 0) || load >= bestLoad)) continue
      best = holder
      bestLoad = load
    }
    return best
  }

  #wayTo({ tunnelId }: Found, holder: TunnelRoute): PeerWay | undefined {
    const key = wayKeyOf(tunnelId, holder)
    const known = this.#ways.get(key)
    if (known?.holder.epoch === holder.epoch && known.holder.sessions === holder.sessions) {
      return known
    }
    const link = this.#links.get(keyOf(holder))
    if (!link) return undefined
    const way = new PeerWay(tunnelId, holder, link)
    way.active = known?.active ?? 0
    this.#ways.set(key, way)
    return way
  }

  async #open(holder: TunnelRoute): Promise<void> {
    const key = keyOf(holder)
    if (this.#links.has(key)) return
    const { hostname, port, protocol } = new URL(holder.peerUrl)
    const link = await PeerLink.open({
      name: `to ${holder.relayId}`,
      upstream: { host: hostname, port: Number(port), tls: protocol === 'tls:' },
      connectTimeoutMs,
      dial: () => this.#dial(holder, { mode: 'http' }),
      ask: () => this.#dial(holder, { mode: 'raw', name: nobodysPort }),
      clock: this.#options.heartbeat ?? clock,
      onChunkEnd: this.#options.onChunkEnd,
      onSilent: () => this.#giveUp(holder, link),
    })
    if (this.#links.has(key)) link.close()
    else this.#links.set(key, link)
    this.#closeIdle()
  }

  /** What may be sent again looks for another way at once, so this one is forgotten first. */
  #giveUp(holder: TunnelRoute, link: PeerLink): void {
    if (this.#links.get(keyOf(holder)) === link) this.#links.delete(keyOf(holder))
    for (const [key, way] of this.#ways) if (way.link === link) this.#ways.delete(key)
    this.#options.onSilent(holder.relayId)
    link.close()
  }

  #closeIdle(): void {
    for (const [key, link] of this.#links) {
      if (this.#links.size <= linksMax) return
      if (link.session().streamCount > 0) continue
      this.#links.delete(key)
      link.close()
    }
  }

  #dial(holder: TunnelRoute, purpose: Omit<Preface, 'from' | 'to' | 'atMs' | 'nonce'>): Socket {
    const { relayId, secret, ca } = this.#options
    const { hostname, port, protocol } = new URL(holder.peerUrl)
    const host = hostname.replace(/^\[|\]$/g, '')
    // A socket of its own below TLS can be reset.
    const tcp = connectTcp({ host, port: Number(port), allowHalfOpen: true })
    let socket = tcp
    if (protocol === 'tls:') {
      // Relays are known by the private authority that signed them, and by the preface; not by name.
      const secure = { socket: tcp, checkServerIdentity: () => undefined, ...(ca ? { ca } : {}) }
      const tls = connectTls(secure)
      tcp.on('error', (error) => tls.destroy(error))
      socket = tls
    }
    socket.setNoDelay(true)
    socket.write(writePreface(secret, { ...purpose, from: relayId, to: holder.relayId }))
    return socket
  }
}

const noRelays: ReadonlySet<string> = new Set()

const clock: HeartbeatIo = {
  now: () => performance.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, delayMs).unref()
    return () => clearTimeout(timer)
  },
}

function keyOf({ relayId, peerUrl }: TunnelRoute): string {
  return `${relayId} ${peerUrl}`
}

function wayKeyOf(tunnelId: string, { relayId }: TunnelRoute): string {
  return `${tunnelId} ${relayId}`
}
