import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Log } from '@sluice/kit/log'
import type { ChannelHub } from '@sluice/kit/redis'
import { redisChannels } from '@sluice/schema/redis'
import type { HeartbeatIo } from '@sluice/wire'
import type { Redis } from 'ioredis'

import type { Agents } from '../control/agents.ts'
import type { RawEdge } from '../raw/raw-edge.ts'
import { namesOf, type Sessions, type TunnelSession } from '../sessions.ts'
import { openPeerListener } from './peer-listener.ts'
import { Peers } from './peers.ts'
import type { Preface } from './preface.ts'
import { Routes } from './routes.ts'

export interface PeerOptions {
  /** Address to bind, of a network that relays share and visitors do not reach. */
  readonly host: string
  readonly port: number
  /** Where other relays reach it. Undefined: where it listens. */
  readonly url?: string | undefined
  /** Shared by all relays: who has it may bring any visitor. */
  readonly secret: string
  /** PEM of certificate and key. Undefined: connections between relays are not encrypted. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined
  /** PEM certificates that other relays are trusted by. */
  readonly ca?: string | undefined
  /** What the silence of other relays is measured by; tests pass a faster one. */
  readonly heartbeat?: HeartbeatIo
}

export interface PeerSideOptions {
  readonly relayId: string
  readonly peer?: PeerOptions
  readonly redis: Redis | undefined
  readonly hub: ChannelHub | undefined
  readonly sessions: Sessions
  readonly agents: Pick<Agents, 'outrank' | 'takeBack'>
  /** Opens the ports of other relays' tunnels too. */
  readonly raw: Pick<RawEdge, 'follow' | 'followAll' | 'settle'>
  readonly connectionsMax: number
  readonly onChunkEnd: () => void
  readonly accept: (socket: Socket, preface: Preface) => void
  /** Another relay serves this host. */
  readonly onFound: (name: string) => void
  readonly onRefused: () => void
  readonly onForged: (ip: string) => void
  readonly onForward: () => void
  /** Another relay was silent for too long, with requests under way. */
  readonly onSilent: (relayId: string) => void
  readonly log: Log
}

/** What a relay has to do with the others. */
export interface PeerSide {
  /** Undefined: requests are not forwarded. */
  readonly peers: Peers | undefined
  readonly port: number | undefined
  /** A session was opened here. */
  online(tunnel: TunnelSession): void
  /** A session has ended; `held`: no other one of its tunnel is here; `stopped`: it was ended on purpose. Answers whether the tunnel is served nowhere now. */
  offline(tunnel: TunnelSession, held: boolean, stopped: boolean): Promise<boolean>
  /** Waits until agents have their next session elsewhere, for as long as there is an elsewhere. */
  untilMoved(msMax: number, isNowhere: () => boolean): Promise<void>
  close(): Promise<void>
}

/** Opens what relays know of and want from each other. */
export async function openPeerSide(options: PeerSideOptions): Promise<PeerSide> {
  const { relayId, peer, redis, hub, sessions, agents, raw, log } = options
  // The relay's own certificate is for visitors: between relays there is TLS only where it was asked for.
  const { certificate } = peer ?? {}
  const listener = peer ? await openPeerListener({ ...options, ...peer, certificate }) : undefined
  const scheme = peer?.certificate ? 'tls' : 'tcp'
  const peerUrl = peer ? (peer.url ?? `${scheme}://${hostOf(peer.host)}:${listener?.port}`) : ''
  const routes = new Routes({
    relayId,
    peerUrl,
    redis,
    held: () => sessions.tunnels(),
    onNewer(tunnelId, right, names) {
      agents.outrank(tunnelId, right)
      if (peer) for (const name of names) raw.follow(name, tunnelId)
    },
    onReleased(tunnelId, names, stopped) {
      agents.takeBack(tunnelId)
      if (peer) for (const name of names) raw.settle(name, stopped)
    },
    onFound: options.onFound,
    onPorts: peer && ((tunnelIds) => raw.followAll(tunnelIds)),
  })
  hub
    ?.subscribe(redisChannels.routes, (message) => routes.hear(parseJson(message)))
    .catch((error: unknown) => log.warn({ err: error }, 'routes are not heard'))
  const { secret, ca, heartbeat } = peer ?? {}
  const peers =
    secret === undefined || !redis
      ? undefined
      : new Peers({ ...options, secret, ca, heartbeat, routes })

  async function isServedElsewhere(tunnel: TunnelSession): Promise<boolean> {
    if (tunnel.moved) return true
    if (!tunnel.claims.pooling) return false
    const [name] = namesOf(tunnel.claims)
    return name !== undefined && (await routes.find(name)) !== undefined
  }

  return {
    peers,
    port: listener?.port,
    online: (tunnel) => void routes.claim(tunnel),
    async offline(tunnel, held, stopped) {
      if (!held) return false
      await routes.release(tunnel, stopped)
      return !(await isServedElsewhere(tunnel))
    },
    async untilMoved(msMax, isNowhere) {
      if (!peers) return
      const untilMs = performance.now() + msMax
      const isHere = ({ moved, session }: TunnelSession) => !moved && session.accepting
      while (performance.now() < untilMs && [...sessions.all()].some(isHere)) {
        if (isNowhere()) return
        await sleep(20)
      }
    },
    async close() {
      routes.close()
      peers?.close()
      await listener?.close()
    },
  }
}

function hostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Not a route change, then.
  }
}
