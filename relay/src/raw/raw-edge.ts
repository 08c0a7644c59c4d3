import type { Socket } from 'node:net'

import type { Log } from '@sluice/kit/log'
import type { AgentTokenClaims } from '@sluice/schema/claims'
import { SluiceError } from '@sluice/schema/errors'
import type { Datagram } from '@sluice/wire'

import type { Peers, RawPurpose } from '../peer/peers.ts'
import type { Preface } from '../peer/preface.ts'
import { sayTaken } from '../peer/taken.ts'
import type { TunnelSession } from '../sessions.ts'
import { joinSockets } from '../tls/join-sockets.ts'
import type { RawContext } from './raw-context.ts'
import { RawConnection, addressOf, refuse, type RawVisit } from './raw-visit.ts'
import { TcpPort } from './tcp-port.ts'
import { UdpPort } from './udp-port.ts'

/** Public ports that tunnels may have; both ends belong to it. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

export interface RawEdgeOptions extends RawContext {
  /** Undefined: no such tunnels here. */
  readonly tcpPorts: PortRange | undefined
  readonly udpPorts: PortRange | undefined
  /** How long a port stays open for an agent that was lost. */
  readonly portKeptMs?: number
  /** The other relays, if their ports are opened here too. */
  readonly peers?: Pick<Peers, 'connectPort' | 'isElsewhere'> | undefined
  readonly log: Log
}

const defaultPortKeptMs = 60_000
const countMs = 1_000
const keepAliveMs = 30_000

interface Place {
  tunnelId: string
  readonly listener: TcpPort | UdpPort
  readonly opened: Promise<void>
  /** Runs while no session is known that holds the port. */
  release: NodeJS.Timeout | undefined
}

/** The public side of tunnels without HTTP: their ports, connections and datagrams. */
export class RawEdge {
  readonly #options: RawEdgeOptions
  readonly #places = new Map<string, Place>()
  readonly #connections = new Set<RawConnection>()
  /** Visitors whose bytes another relay serves. */
  readonly #joined = new Set<Socket>()
  /** Ports of other relays that could not be opened here, so that it is said once. */
  readonly #unopened = new Set<string>()
  #drained = false
  readonly #counting: NodeJS.Timeout

  constructor(options: RawEdgeOptions) {
    this.#options = options
    this.#counting = setInterval(() => {
      for (const connection of this.#connections) connection.count()
    }, countMs)
  }

  /** Raw connections and flows now. */
  connections(): number {
    let count = this.#connections.size + this.#joined.size
    for (const { listener } of this.#places.values()) {
      if (listener instanceof UdpPort) count += listener.flows
    }
    return count
  }

  /** Visitors whose bytes another relay serves. */
  forwards(): number {
    return this.#joined.size
  }

  /** Opens the port that a token names, or finds it open. Throws what the agent is to be told. */
  async prepare(claims: AgentTokenClaims): Promise<void> {
    const name = nameOf(claims)
    if (name === undefined) return
    const { kind, endpointPort: port = 0, tunnelId } = claims
    const range = kind === 'udp' ? this.#options.udpPorts : this.#options.tcpPorts
    if (!range || port < range.first || port > range.last) {
      const ports = range ? `${range.first} to ${range.last}` : 'none'
      throw new SluiceError('SLUICE_PORT_OUTSIDE', { port, ports })
    }
    const place = this.#places.get(name) ?? this.#open(name, kind === 'udp', port, tunnelId)
    if (place.tunnelId !== tunnelId) {
      // The control plane gave the port to another tunnel. Whoever is still served keeps it until then.
      if (this.#options.find(name)) throw new SluiceError('SLUICE_PORT_TAKEN', { port })
      place.tunnelId = tunnelId
    }
    try {
      await place.opened
    } catch (error) {
      this.#release(name, place)
      throw new SluiceError('SLUICE_PORT_TAKEN', { port }, { cause: error })
    }
  }

  /** A session serves the tunnel from now on. */
  online({ claims }: TunnelSession): void {
    const name = nameOf(claims)
    const place = this.#placeOf(claims)
    if (!place) {
      if (name !== undefined) void this.#openAgain(name)
      return
    }
    clearTimeout(place.release)
    place.release = undefined
    place.listener.online()
  }

  /** No session serves the tunnel here any more. `stopped`: nobody will come back soon. */
  offline({ claims }: TunnelSession, stopped: boolean): void {
    const name = nameOf(claims)
    const place = this.#placeOf(claims)
    if (name === undefined || !place) return
    if (this.#options.peers) this.settle(name, stopped)
    // Beside processes that nothing is heard of, an agent may come back to one of them: its visitors must not come to this one.
    else if (stopped || this.#options.reusePort) this.#release(name, place)
    else this.#releaseLater(name, place)
  }

  /** Another relay serves a name. Its visitors may come here too. */
  follow(name: string, tunnelId: string): void {
    this.#follow(name, tunnelId)
    const listener = this.#places.get(name)?.listener
    if (listener instanceof UdpPort) listener.moved()
  }

  /** All names that are served somewhere now. Ports of others are given up in the time that a lost agent has to come back. */
  followAll(tunnelIds: ReadonlyMap<string, string>): void {
    for (const [name, tunnelId] of tunnelIds) {
      if (!this.#options.find(name)) this.#follow(name, tunnelId)
    }
    for (const [name, place] of this.#places) {
      const served = tunnelIds.has(name) || this.#options.find(name) !== undefined
      if (!served && !place.release) this.#releaseLater(name, place)
    }
  }

  /** A relay serves a name no longer: without another one its port is closed, now or when its agent has not come back. */
  settle(name: string, stopped: boolean): void {
    void this.#settle(name, stopped)
  }

  /** The tunnel has been revoked. Where an agent is, its session ends too. */
  revoke(tunnelId: string): void {
    for (const [name, place] of this.#places) {
      if (place.tunnelId === tunnelId) this.settle(name, true)
    }
  }

  /** A visitor of a port, or all of its datagrams, brought by another relay. They are not sent on once more. */
  acceptPeer(socket: Socket, { name = '', visitorIp = '', visitorPort = 0, epoch = 0 }: Preface) {
    const tunnel = this.#options.find(name)
    // A relay that knows of a newer start means another relay.
    const isHolder = tunnel && !tunnel.moved && tunnel.claims.epoch >= epoch
    if (!isHolder || !tunnel.session.accepting) {
      socket.destroy()
      return
    }
    const listener = this.#places.get(name)?.listener
    sayTaken(socket)
    if (listener instanceof UdpPort) listener.acceptPeer(socket)
    else this.serve({ socket, tunnel, serverName: '', visitor: { visitorIp, visitorPort } })
  }

  /** Serves a visitor's connection as raw bytes: of a `tcp` port, or of a TLS server name that passes through. */
  serve(visit: RawVisit): void {
    if (this.#isFull()) {
      refuse(visit.socket)
      return
    }
    const connection: RawConnection = new RawConnection(this.#options, visit, () =>
      this.#connections.delete(connection),
    )
    this.#connections.add(connection)
    connection.start()
  }

  /** A tunnel's policy has changed: visitors whom it keeps out now are cut off, the others go on. */
  enforce(tunnel: TunnelSession): void {
    for (const connection of this.#connections) connection.enforce(tunnel)
    const listener = this.#placeOf(tunnel.claims)?.listener
    if (listener instanceof UdpPort) listener.enforce(tunnel)
  }

  /** A reply to a visitor of a `udp` tunnel. */
  reply(tunnel: TunnelSession, datagram: Datagram): void {
    const listener = this.#placeOf(tunnel.claims)?.listener
    if (listener instanceof UdpPort) listener.reply(tunnel, datagram)
  }

  /** Takes no new connections; those there go on. */
  drain(): void {
    this.#drained = true
    for (const { listener } of this.#places.values()) {
      if (listener instanceof TcpPort) listener.close()
    }
  }

  close(): void {
    this.#drained = true
    clearInterval(this.#counting)
    for (const [name, place] of this.#places) this.#release(name, place)
    for (const connection of this.#connections) connection.destroy()
    for (const socket of this.#joined) refuse(socket)
  }

  #follow(name: string, tunnelId: string): void {
    const local = this.#options.find(name)
    const place = this.#places.get(name)
    if (!place) {
      this.#openFollowing(name, tunnelId)
      return
    }
    if (!local) place.tunnelId = tunnelId
    clearTimeout(place.release)
    place.release = undefined
    place.listener.online()
  }

  #placeOf(claims: AgentTokenClaims): Place | undefined {
    const place = this.#places.get(nameOf(claims) ?? '')
    return place?.tunnelId === claims.tunnelId ? place : undefined
  }

  #open(name: string, udp: boolean, port: number, tunnelId: string): Place {
    const { host, reusePort, peers } = this.#options
    const listener: TcpPort | UdpPort = udp
      ? new UdpPort({
          port,
          context: this.#options,
          connect: peers && (() => peers.connectPort({ name, visitorIp: '', visitorPort: 0 })),
        })
      : new TcpPort({
          host,
          port,
          reusePort,
          serve: (socket) => this.#serveHere(name, socket),
          seek: peers && ((socket) => peers.connectPort(purposeOf(name, socket))),
          join: (socket, peer) => this.#join(socket, peer),
        })
    const place: Place = { tunnelId, listener, opened: listener.listen(), release: undefined }
    this.#places.set(name, place)
    // Until `online`: the session may end before that.
    this.#releaseLater(name, place)
    return place
  }

  #serveHere(name: string, socket: Socket): boolean {
    const tunnel = this.#options.find(name)
    if (!tunnel?.session.accepting || (tunnel.moved && this.#options.peers)) return false
    this.serve({ socket, tunnel, serverName: '' })
    return true
  }

  #join(socket: Socket, peer: Socket): void {
    if (this.#isFull()) {
      peer.destroy()
      refuse(socket)
      return
    }
    this.#joined.add(socket)
    socket.once('close', () => this.#joined.delete(socket))
    socket.setNoDelay(true)
    socket.setKeepAlive(true, keepAliveMs)
    joinSockets(socket, peer)
  }

  #isFull(): boolean {
    return this.#connections.size + this.#joined.size >= this.#options.connectionsMax
  }

  #openFollowing(name: string, tunnelId: string): void {
    const [, kind, digits] = /^(tcp|udp):(\d{1,5})$/.exec(name) ?? []
    const { tcpPorts, udpPorts, log } = this.#options
    const port = Number(digits)
    const range = kind === 'udp' ? udpPorts : tcpPorts
    if (this.#drained || !kind || !range || port < range.first || port > range.last) return
    const place = this.#open(name, kind === 'udp', port, tunnelId)
    clearTimeout(place.release)
    place.release = undefined
    place.opened.then(
      () => this.#unopened.delete(name),
      (error: unknown) => {
        // Tried again when the ports are read next.
        this.#release(name, place)
        if (this.#unopened.has(name)) return
        this.#unopened.add(name)
        log.warn({ err: error, port }, 'the port of a tunnel on another relay cannot be opened')
      },
    )
  }

  async #settle(name: string, stopped: boolean): Promise<void> {
    if (!this.#places.has(name)) {
      await this.#openAgain(name)
      return
    }
    const isElsewhere = await this.#options.peers?.isElsewhere(name)
    const place = this.#places.get(name)
    if (!place || isElsewhere || this.#options.find(name)) return
    if (stopped) this.#release(name, place)
    else this.#releaseLater(name, place)
  }

  /** Another relay's word has closed a port that a session here needs, still or again. */
  async #openAgain(name: string): Promise<void> {
    const tunnel = this.#options.find(name)
    if (!tunnel || nameOf(tunnel.claims) !== name || tunnel.moved || this.#drained) return
    try {
      await this.prepare(tunnel.claims)
      if (!tunnel.session.closed) this.online(tunnel)
    } catch (error) {
      this.#options.log.warn({ err: error, name }, 'a port cannot be opened again')
    }
  }

  #releaseLater(name: string, place: Place): void {
    clearTimeout(place.release)
    const keptMs = this.#options.portKeptMs ?? defaultPortKeptMs
    place.release = setTimeout(() => this.#release(name, place), keptMs)
  }

  #release(name: string, place: Place): void {
    // Two may find at once that it cannot be opened.
    if (this.#places.get(name) !== place) return
    clearTimeout(place.release)
    place.listener.close()
    this.#places.delete(name)
  }
}

/** What relays call the port of a tunnel; undefined when it has none. */
function nameOf({ kind, endpointPort }: AgentTokenClaims): string | undefined {
  return kind === 'tcp' || kind === 'udp' ? `${kind}:${endpointPort}` : undefined
}

function purposeOf(name: string, socket: Socket): RawPurpose {
  return { name, visitorIp: addressOf(socket), visitorPort: socket.remotePort ?? 0 }
}
