import { createServer, type Server } from 'node:http'

import { errors, type ErrorCode } from '@sluice/schema/errors'

import type { Certificate } from '../tls/certificate.ts'

/** What the control plane says to a relay: all is well, a code, or nothing but a cut connection. */
export type Mood = 'well' | 'away' | ErrorCode

interface Asked {
  readonly operationName: string
  readonly authorization: string | undefined
  readonly input: Record<string, unknown>
}

/** A gateway of the tests: takes registrations and heartbeats, keeps them, and answers as it is told. */
export class ControlPlane implements AsyncDisposable {
  readonly asked: Asked[] = []
  mood: Mood = 'well'
  /** What heartbeats are answered with. */
  orders: { drain?: boolean; replacedSessionIds?: string[] } = {}
  /** What the list of revocations holds, and since when it was asked for. */
  revocations: {
    stoppedTunnels: { id: string; at: string }[] | null
    revokedCredentials: { kind: string; id: string; at: string }[] | null
  } = { stoppedTunnels: [], revokedCredentials: [] }
  readonly revocationsAsked: Date[] = []
  /** Hosts that are out of service, and how often they were asked for. */
  suspendedHosts: { name: string; reason: string }[] = []
  /** Hosts of those who are suspended. */
  closedHosts: string[] = []
  suspensionsAsked = 0
  /** Certificates of custom domains, and each domain that was asked for. */
  readonly certificates = new Map<string, Certificate>()
  readonly certificatesAsked: string[] = []
  /** Hosts of tunnels, and each host that was asked for. */
  readonly hosts = new Set<string>()
  readonly hostsAsked: string[] = []
  otherRelaysReady = 1
  readonly #server: Server
  #arrived = Promise.withResolvers<void>()

  constructor() {
    this.#server = createServer((request, response) => {
      let text = ''
      request.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      request.on('end', () => {
        const { operationName, variables } = JSON.parse(text)
        const { authorization } = request.headers
        if (operationName === 'RelayRevokedCredentials' && this.mood === 'well') {
          this.revocationsAsked.push(new Date(variables.since))
          this.#arrive()
          response.end(JSON.stringify({ data: this.revocations }))
          return
        }
        if (operationName === 'RelaySuspensions' && this.mood === 'well') {
          this.suspensionsAsked += 1
          this.#arrive()
          const { suspendedHosts: relaySuspendedHosts, closedHosts: relayClosedHosts } = this
          response.end(JSON.stringify({ data: { relaySuspendedHosts, relayClosedHosts } }))
          return
        }
        if (operationName === 'RelayCertificate' && this.mood === 'well') {
          const found = this.certificates.get(variables.domain)
          this.certificatesAsked.push(variables.domain)
          this.#arrive()
          const relayCertificate = found ? { chain: found.cert, privateKey: found.key } : null
          response.end(JSON.stringify({ data: { relayCertificate } }))
          return
        }
        if (operationName === 'RelayOthersReady' && this.mood === 'well') {
          response.end(JSON.stringify({ data: { otherRelaysReady: this.otherRelaysReady } }))
          return
        }
        if (operationName === 'RelayHostExists' && this.mood === 'well') {
          const { endpointHost } = variables
          this.hostsAsked.push(endpointHost)
          this.#arrive()
          response.end(JSON.stringify({ data: { relayHostExists: this.hosts.has(endpointHost) } }))
          return
        }
        this.asked.push({ operationName, authorization, input: variables.input })
        this.#arrive()
        if (this.mood === 'away') response.destroy()
        else if (this.mood === 'well')
          response.end(JSON.stringify({ data: { heartbeatRelay: this.orders } }))
        else {
          response.statusCode = errors[this.mood].status === 401 ? 401 : 200
          response.end(JSON.stringify({ errors: [{ extensions: { code: this.mood } }] }))
        }
      })
    })
  }

  #arrive(): void {
    this.#arrived.resolve()
    this.#arrived = Promise.withResolvers()
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get url(): string {
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  }

  /** Operations in the order they came. */
  get operations(): string[] {
    return this.asked.map(({ operationName }) => operationName)
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#arrived.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
