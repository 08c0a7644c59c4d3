import {
  RouteChange,
  TunnelRoute,
  presenceRenewSeconds,
  presenceSeconds,
  redisChannels,
  redisKeys,
} from '@sluice/schema/redis'
import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'

import { namesOf, needsOwnHandshake, type TunnelSession } from '../sessions.ts'
import { claimRoutes, releaseRoute, servedPorts } from './route-scripts.ts'

/** Names whose routes are remembered, served or not. */
const namesMax = 20_000
/** A route is looked up again after this long, even if nobody said that it has changed. */
const foundFreshMs = 5_000
const absentFreshMs = 1_000
/** Nobody waits longer for Redis. */
const lookUpMs = 300
const claimsPerScriptMax = 200

/** The relays other than this one that hold a tunnel. */
export interface Found {
  readonly tunnelId: string
  readonly holders: readonly TunnelRoute[]
}

/** A right to a tunnel, newer than one that this relay has. */
interface NewerRight {
  readonly epoch: number
  readonly at: string
  readonly pooling: boolean
}

export interface RoutesOptions {
  readonly relayId: string
  /** Where other relays reach this one; empty when they cannot. */
  readonly peerUrl: string
  /** Undefined: this relay knows of no other. */
  readonly redis: Redis | undefined
  /** The sessions to go on claiming. */
  readonly held: () => Iterable<TunnelSession>
  /** Another relay has a newer right to a tunnel that is, or was, held here. */
  readonly onNewer: (tunnelId: string, right: NewerRight, names: readonly string[]) => void
  /** A relay holds the tunnel no longer. `stopped`: its session was ended on purpose. */
  readonly onReleased: (tunnelId: string, names: readonly string[], stopped: boolean) => void
  /** Another relay holds this name. */
  readonly onFound?: ((name: string) => void) | undefined
  /** The ports that are served somewhere, and by which tunnels: all of them, as of now. */
  readonly onPorts?: ((tunnelIds: ReadonlyMap<string, string>) => void) | undefined
}

interface Remembered {
  readonly found: Found | undefined
  readonly foundAtMs: number
  readonly freshUntilMs: number
}

/** Which relay holds which tunnel: tells the others what is held here, and remembers what they tell. Nothing waits for it but a look-up, and that not for long. */
export class Routes {
  readonly #options: RoutesOptions
  readonly #remembered = new LRUCache<string, Remembered>({ max: namesMax })
  readonly #looking = new Map<string, Promise<Found | undefined>>()
  readonly #timer: NodeJS.Timeout | undefined
  readonly #onReady = (): void => void this.renew()

  constructor(options: RoutesOptions) {
    this.#options = options
    if (!options.redis) return
    this.#timer = setInterval(() => void this.renew(), presenceRenewSeconds * 1000)
    // An emptied Redis, or one that was away, is told at once.
    options.redis.on('ready', this.#onReady)
    if (options.redis.status === 'ready') this.#onReady()
  }

  /** A session was opened here: takes its names from other relays, or hears that they have a newer one. */
  async claim(tunnel: TunnelSession): Promise<void> {
    this.forget(namesOf(tunnel.claims))
    await this.#claim([tunnel], () => '')
  }

  /** Says again what is held here, and reads what relays have to know of each other beforehand. */
  async renew(): Promise<void> {
    const held = [...this.#options.held()].filter(({ moved }) => !moved)
    for (let at = 0; at < held.length; at += claimsPerScriptMax) {
      await this.#claim(held.slice(at, at + claimsPerScriptMax))
    }
    await this.#readPorts()
  }

  /** The last session of a tunnel here has ended. */
  async release({ claims, routeAt }: TunnelSession, stopped: boolean): Promise<void> {
    const { redis, relayId } = this.#options
    const { tunnelId } = claims
    const names = namesOf(claims)
    this.forget(names)
    if (redis?.status !== 'ready') return
    const change: RouteChange = { tunnelId, names, relayId, stopped }
    const keys = [redisKeys.routes(tunnelId), redisKeys.ports]
    try {
      await redis.eval(releaseRoute, 2, ...keys, relayId, routeAt, tunnelId, ...names)
      await redis.publish(redisChannels.routes, JSON.stringify(change))
    } catch {
      // The claim expires by itself, and whoever follows it until then hears that it is stale.
    }
  }

  /** Takes in what another relay has said. */
  hear(message: unknown): void {
    const change = RouteChange.safeParse(message)
    if (!change.success || change.data.relayId === this.#options.relayId) return
    const { tunnelId, names, opened, stopped = false } = change.data
    this.forget(names)
    if (opened) {
      this.#options.onNewer(tunnelId, opened, names)
      return
    }
    for (const name of names) this.#remembered.delete(name)
    this.#options.onReleased(tunnelId, names, stopped)
  }

  /** What is remembered of a name and still fresh; null when nobody holds it. */
  peek(name: string): Found | null | undefined {
    const remembered = this.#remembered.get(name)
    if (!remembered || remembered.freshUntilMs < performance.now()) return undefined
    return remembered.found ?? null
  }

  /** The other relays that hold a name. While Redis is away, those that were known last. */
  async find(name: string): Promise<Found | undefined> {
    const peeked = this.peek(name)
    if (peeked !== undefined) return peeked ?? undefined
    const under = this.#looking.get(name)
    if (under) return under
    const looking = this.#lookUp(name, () => this.#looking.get(name) === looking)
    this.#looking.set(name, looking)
    try {
      return await looking
    } finally {
      if (this.#looking.get(name) === looking) this.#looking.delete(name)
    }
  }

  /** Whether another relay holds a name, by what Redis says now. */
  async isElsewhere(name: string): Promise<boolean> {
    this.forget([name])
    return (await this.find(name)) !== undefined
  }

  forget(names: readonly string[]): void {
    for (const name of names) {
      // What is being looked up may be of before.
      this.#looking.delete(name)
      const remembered = this.#remembered.get(name)
      // What was found is kept for the time that Redis is away, or empty.
      if (remembered?.found) this.#remembered.set(name, { ...remembered, freshUntilMs: 0 })
      else this.#remembered.delete(name)
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#options.redis?.off('ready', this.#onReady)
  }

  async #claim(
    tunnels: readonly TunnelSession[],
    /** Redis was away when it was opened: our own clock is the next best. */
    unclaimedAt = ({ openedAt }: TunnelSession) => `${openedAt.getTime()}000`,
  ): Promise<void> {
    const { redis, relayId, peerUrl } = this.#options
    if (tunnels.length === 0 || redis?.status !== 'ready') return
    const claims = tunnels.map((tunnel) => ({
      tunnelId: tunnel.claims.tunnelId,
      names: namesOf(tunnel.claims),
      peerUrl,
      epoch: tunnel.claims.epoch,
      pooling: tunnel.claims.pooling ?? false,
      handshake: needsOwnHandshake(tunnel.claims),
      sessions: tunnel.pool?.size ?? 1,
      at: tunnel.routeAt || unclaimedAt(tunnel),
    }))
    let answers: string[]
    try {
      answers = (await redis.eval(
        claimRoutes,
        0,
        JSON.stringify(claims),
        relayId,
        presenceSeconds,
        redisKeys.routes(''),
        redisKeys.routeOf(''),
        redisKeys.ports,
      )) as string[]
    } catch {
      return // The next renewal says it again.
    }
    for (const [index, answer] of answers.entries()) {
      const tunnel = tunnels[index]
      if (tunnel) await this.#onAnswer(tunnel, answer)
    }
  }

  async #onAnswer(tunnel: TunnelSession, answer: string): Promise<void> {
    const { tunnelId, epoch, pooling = false } = tunnel.claims
    if (answer.startsWith('{')) {
      const newer = TunnelRoute.safeParse(JSON.parse(answer))
      if (!newer.success) return
      if (newer.data.epoch === epoch) tunnel.moved = true
      this.#options.onNewer(tunnelId, newer.data, namesOf(tunnel.claims))
      return
    }
    if (tunnel.routeAt === answer) return
    tunnel.routeAt = answer
    const change: RouteChange = {
      tunnelId,
      names: namesOf(tunnel.claims),
      relayId: this.#options.relayId,
      opened: { epoch, at: answer, pooling },
    }
    // Unheard, it is learned at the next renewal or look-up.
    await this.#options.redis
      ?.publish(redisChannels.routes, JSON.stringify(change))
      .catch(() => undefined)
  }

  async #readPorts(): Promise<void> {
    const { redis, onPorts } = this.#options
    if (!onPorts || redis?.status !== 'ready') return
    let read: string[]
    try {
      read = (await redis.eval(servedPorts, 1, redisKeys.ports, presenceSeconds)) as string[]
    } catch {
      return // What is known goes on.
    }
    const tunnelIds = new Map<string, string>()
    for (let at = 0; at + 1 < read.length; at += 2)
      tunnelIds.set(read[at] ?? '', read[at + 1] ?? '')
    onPorts(tunnelIds)
  }

  async #lookUp(name: string, isCurrent: () => boolean): Promise<Found | undefined> {
    const before = this.#remembered.get(name)
    const last = before?.found
    const { redis } = this.#options
    if (redis?.status !== 'ready') return last
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), lookUpMs)
    })
    try {
      const read = await Promise.race([this.#read(redis, name), late])
      if (read === 'late') return last
      const nowMs = performance.now()
      // A Redis that was emptied is told anew within seconds. Until then the holder itself knows whether it is one.
      const isForgotten = !read && before && nowMs - before.foundAtMs < presenceSeconds * 1000
      const found = isForgotten ? last : read
      if (read) this.#options.onFound?.(name)
      this.#remembered.set(name, {
        found,
        foundAtMs: read ? nowMs : (before?.foundAtMs ?? -Infinity),
        // Something has changed while it was read: good for this request, and asked again for the next.
        freshUntilMs: isCurrent() ? nowMs + (read ? foundFreshMs : absentFreshMs) : 0,
      })
      return found
    } catch {
      return last
    } finally {
      clearTimeout(timer)
    }
  }

  async #read(redis: Redis, name: string): Promise<Found | undefined> {
    const tunnelId = await redis.get(redisKeys.routeOf(name))
    if (tunnelId === null) return undefined
    const entries = Object.values(await redis.hgetall(redisKeys.routes(tunnelId)))
    const holders = entries
      .flatMap((entry) => readRoute(entry) ?? [])
      .filter(({ relayId }) => relayId !== this.#options.relayId)
    return holders.length > 0 ? { tunnelId, holders } : undefined
  }
}

/** Undefined when it is no route that can be followed: one relay's mistake is not to stop the others. */
function readRoute(entry: string): TunnelRoute | undefined {
  try {
    const { data } = TunnelRoute.safeParse(JSON.parse(entry))
    return data && (data.peerUrl === '' || /^(?:tcp|tls):$/.test(new URL(data.peerUrl).protocol))
      ? data
      : undefined
  } catch {
    return undefined
  }
}
