import type { AgentTokenClaims } from '@sluice/schema/claims'
import { SluiceError } from '@sluice/schema/errors'
import type { Datagram } from '@sluice/wire'

import type { TunnelSession } from '../sessions.ts'
import type { RawContext } from './raw-context.ts'
import { RawConnection, refuse, type RawVisit } from './raw-visit.ts'
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
}

const defaultPortKeptMs = 60_000
const countMs = 1_000

interface Place {
  tunnelId: string
  readonly listener: TcpPort | UdpPort
  readonly opened: Promise<void>
  /** Runs while no session holds the port. */
  release: NodeJS.Timeout | undefined
}

/** The public side of tunnels without HTTP: their ports, connections and datagrams. */
export class RawEdge {
  readonly #options: RawEdgeOptions
  readonly #places = new Map<string, Place>()
  readonly #connections = new Set<RawConnection>()
  readonly #counting: NodeJS.Timeout

  constructor(options: RawEdgeOptions) {
    this.#options = options
    this.#counting = setInterval(() => {
      for (const connection of this.#connections) connection.count()
    }, countMs)
  }

  /** Raw connections and flows now. */
  connections(): number {
    let count = this.#connections.size
    for (const { listener } of this.#places.values()) {
      if (listener instanceof UdpPort) count += listener.flows
    }
    return count
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
      this.#places.delete(name)
      throw new SluiceError('SLUICE_PORT_TAKEN', { port }, { cause: error })
    }
  }

  /** A session serves the tunnel from now on. */
  online({ claims }: TunnelSession): void {
    const place = this.#placeOf(claims)
    if (!place) return
    clearTimeout(place.release)
    if (place.listener instanceof TcpPort) place.listener.online()
  }

  /** No session serves the tunnel any more. `stopped`: nobody will come back soon. */
  offline({ claims }: TunnelSession, stopped: boolean): void {
    const name = nameOf(claims)
    const place = this.#placeOf(claims)
    if (name === undefined || !place) return
    // Beside other processes an agent may come back to another one, and its visitors must not come to this one.
    if (stopped || this.#options.reusePort) this.#release(name, place)
    else this.#releaseLater(name, place)
  }

  /** Serves a visitor's connection as raw bytes: of a `tcp` port, or of a TLS server name that passes through. */
  serve(visit: RawVisit): void {
    if (this.#connections.size >= this.#options.connectionsMax) {
      refuse(visit.socket)
      return
    }
    const connection: RawConnection = new RawConnection(this.#options, visit, () =>
      this.#connections.delete(connection),
    )
    this.#connections.add(connection)
    connection.start()
  }

  /** A reply to a visitor of a `udp` tunnel. */
  reply(tunnel: TunnelSession, datagram: Datagram): void {
    const listener = this.#placeOf(tunnel.claims)?.listener
    if (listener instanceof UdpPort) listener.reply(tunnel, datagram)
  }

  /** Takes no new connections; those there go on. */
  drain(): void {
    for (const { listener } of this.#places.values()) {
      if (listener instanceof TcpPort) listener.close()
    }
  }

  close(): void {
    clearInterval(this.#counting)
    for (const [name, place] of this.#places) this.#release(name, place)
    for (const connection of this.#connections) connection.destroy()
  }

  #placeOf(claims: AgentTokenClaims): Place | undefined {
    const place = this.#places.get(nameOf(claims) ?? '')
    return place?.tunnelId === claims.tunnelId ? place : undefined
  }

  #open(name: string, udp: boolean, port: number, tunnelId: string): Place {
    const { host, reusePort } = this.#options
    const listener: TcpPort | UdpPort = udp
      ? new UdpPort({ port, context: this.#options })
      : new TcpPort({
          host,
          port,
          reusePort,
          serve: (socket) => {
            const tunnel = this.#options.find(name)
            if (!tunnel?.session.accepting) return false
            this.serve({ socket, tunnel, serverName: '' })
            return true
          },
        })
    const place: Place = { tunnelId, listener, opened: listener.listen(), release: undefined }
    this.#places.set(name, place)
    // Until `online`: the session may end before that.
    this.#releaseLater(name, place)
    return place
  }

  #releaseLater(name: string, place: Place): void {
    clearTimeout(place.release)
    const keptMs = this.#options.portKeptMs ?? defaultPortKeptMs
    place.release = setTimeout(() => this.#release(name, place), keptMs)
  }

  #release(name: string, place: Place): void {
    clearTimeout(place.release)
    place.listener.close()
    this.#places.delete(name)
  }
}

/** What relays call the port of a tunnel; undefined when it has none. */
function nameOf({ kind, endpointPort }: AgentTokenClaims): string | undefined {
  return kind === 'tcp' || kind === 'udp' ? `${kind}:${endpointPort}` : undefined
}
