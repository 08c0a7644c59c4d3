import type { AgentTokenClaims } from '@sluice/schema/claims'
import { Redial, closeCode, type Hello, type Session, type SessionEvents } from '@sluice/wire'

import { Sessions, TunnelSession } from '../sessions.ts'
import { Cable } from './cable.ts'
import type { Clock } from './clock.ts'
import { End, Visit } from './visit.ts'

const endpointHost = 'app.tunnel.test'
const openPrefix = '\u0000'.repeat(6)
const drainMs = 5_000

/** A relay as far as its sessions go: the real table of them, and the order of the real control side. */
export class SimRelay {
  readonly #plant: Plant
  #sessions = new Sessions()
  readonly cables = new Set<Cable>()
  #open = new Set<TunnelSession>()
  alive = true

  constructor(plant: Plant) {
    this.#plant = plant
  }

  get tunnel(): TunnelSession | undefined {
    return this.#sessions.find(endpointHost)
  }

  /** What the relay's end of a new connection hears. */
  events(cable: () => Cable): SessionEvents {
    let tunnel: TunnelSession | undefined
    const { clock } = this.#plant
    const sessions = this.#sessions
    return {
      onHello: (hello) => {
        const session = cable().relay
        clock.setTimer(() => {
          if (!session.closed) tunnel = this.#admit(session, hello)
        }, clock.below(5))
      },
      onClose: () => {
        this.cables.delete(cable())
        if (!tunnel) return
        sessions.close(tunnel)
        this.#open.delete(tunnel)
      },
    }
  }

  #admit(session: Session, hello: Hello): TunnelSession | undefined {
    const claims: AgentTokenClaims = JSON.parse(hello.agentToken)
    const tunnel = new TunnelSession(crypto.randomUUID(), session, claims, 'sim')
    const replaced = this.#sessions.open(tunnel)
    if (replaced === 'fenced') {
      session.refuse('SLUICE_SESSION_REPLACED', {}, closeCode.replaced)
      return undefined
    }
    this.#open.add(tunnel)
    session.welcome(hello, {
      version: this.#plant.version,
      features: [],
      sessionId: tunnel.id,
      relayId: 'sim',
      expiresInMs: 300_000,
      endpointHosts: [endpointHost],
    })
    for (const old of [replaced ?? []].flat()) {
      old.session.refuse('SLUICE_SESSION_REPLACED', {}, closeCode.replaced)
    }
    this.#checkOwner()
    return tunnel
  }

  #checkOwner(): void {
    const owners = [...this.#open].filter((one) => !one.session.closed)
    if (owners.length > 1 || (owners[0] && owners[0] !== this.tunnel)) {
      this.#plant.faults.push('two owners of one host')
    }
  }

  /** Ends without a word. `heard`: the kernel tells the agents, else nobody does. */
  crash(heard: boolean): void {
    this.alive = false
    this.#sessions = new Sessions()
    this.#open = new Set()
    for (const cable of this.cables) {
      cable.mute(true, true)
      cable.relay.close(1000, 'crash', true)
      if (heard) this.#plant.clock.setTimer(() => cable.agent.close(1000, 'reset', true), 20)
    }
    this.cables.clear()
  }

  /** Sends its agents away, and ends once they had time to finish. */
  drain(): void {
    this.alive = false
    const cables = [...this.cables]
    for (const { relay } of cables) relay.goAway({ reason: 'draining', graceMs: drainMs })
    this.#plant.clock.setTimer(() => {
      for (const { relay } of cables) relay.close(closeCode.drained)
    }, drainMs)
  }

  restart(): void {
    this.alive = true
  }
}

/** An agent as far as its sessions go: dials, is replaced, moves on when a relay goes away. */
export class SimAgent {
  readonly #plant: Plant
  readonly epoch: number
  readonly #redial: Redial
  #edge = 0
  current: Cable | undefined
  readonly #cables = new Set<Cable>()
  stopped = false

  constructor(plant: Plant, epoch: number) {
    this.#plant = plant
    this.epoch = epoch
    this.#redial = new Redial(plant.clock, () => this.#dial())
    this.#redial.again()
  }

  get online(): boolean {
    return this.current !== undefined && !this.current.agent.closed
  }

  #again(elsewhere: boolean): void {
    if (elsewhere) this.#edge += 1
    this.#redial.again()
  }

  #dial(): void {
    const { clock, relays } = this.#plant
    clock.setTimer(() => {
      if (this.stopped) return
      const relay = relays[this.#edge % relays.length]
      if (relay?.alive) this.#connect(relay)
      else this.#again(true)
    }, clock.below(100))
  }

  #connect(relay: SimRelay): void {
    const { clock, faults } = this.#plant
    const cable: Cable = new Cable(
      clock,
      { agent: this.#events(() => cable), relay: relay.events(() => cable) },
      (role) => faults.push(`a violation, as the ${role} says`),
    )
    relay.cables.add(cable)
    this.#cables.add(cable)
    const claims = {
      tunnelId: 'tunnel-1',
      organizationId: 'organization-1',
      kind: 'http',
      endpointHosts: [endpointHost],
      tlsMode: 'terminate',
      epoch: this.epoch,
      policy: {},
      maxConcurrentConns: 100,
    }
    cable.agent.hello(JSON.stringify(claims), 'sim')
  }

  #events(cable: () => Cable): SessionEvents {
    let welcomed = false
    let leaving = false
    return {
      onWelcome: () => {
        welcomed = true
        this.current = cable()
        this.#redial.online()
      },
      onRefused: ({ code }) => {
        if (code === 'SLUICE_SESSION_REPLACED') this.#stop()
      },
      onGoAway: () => {
        leaving = true
        if (this.current !== cable()) return
        this.current = undefined
        this.#again(true)
      },
      onOpen: (stream, payload) => {
        this.#plant.arrived(Number(payload.toString('latin1', openPrefix.length)), stream)
      },
      onClose: () => {
        this.#cables.delete(cable())
        if (this.current === cable()) this.current = undefined
        if (!leaving && !this.stopped) this.#again(!welcomed)
      },
    }
  }

  #stop(): void {
    this.stopped = true
    this.#redial.stop()
  }

  /** Ends without a word. */
  crash(heard: boolean): void {
    this.#stop()
    for (const cable of this.#cables) {
      cable.mute(true, true)
      cable.agent.close(1000, 'crash', true)
      if (heard) this.#plant.clock.setTimer(() => cable.relay.close(1000, 'reset', true), 20)
    }
  }

  close(): void {
    this.#stop()
    for (const { agent } of this.#cables) agent.close()
  }
}

/** Relays, agents and visits of one simulated course of events. */
export class Plant {
  readonly clock: Clock
  readonly version: number
  readonly relays: readonly SimRelay[]
  readonly agents: SimAgent[] = []
  readonly visits: Visit[] = []
  readonly faults: string[] = []

  constructor(clock: Clock, version: number) {
    this.clock = clock
    this.version = version
    this.relays = [new SimRelay(this), new SimRelay(this)]
    this.start()
  }

  /** The agent that holds the tunnel, or will. */
  get agent(): SimAgent | undefined {
    return this.agents.at(-1)
  }

  /** Starts the tunnel anew: what was started before is fenced out. */
  start(): void {
    this.agents.push(new SimAgent(this, this.agents.length + 1))
  }

  /** A request through whichever relay serves the tunnel. */
  visit(): Visit | undefined {
    const { clock } = this
    const serving = this.relays.map(({ tunnel }) => tunnel).filter((one) => one?.session.accepting)
    const session = serving[clock.below(serving.length)]?.session
    if (!session) return undefined
    const visit = new Visit(clock, this.visits.length)
    this.visits.push(visit)
    const payload = Buffer.from(`${openPrefix}${visit.id}`, 'latin1')
    const stream = session.openStream(visit.visitor, payload, 0, payload.length, false)
    visit.visitor.start(stream)
    return visit
  }

  arrived(id: number, stream: Parameters<End['start']>[0]): void {
    const visit = this.visits[id]
    if (!visit || visit.upstream) {
      this.faults.push('a stream that nobody opened, or that came twice')
      return
    }
    const end = new End(this.clock, visit.response)
    visit.upstream = end
    stream.events = end
    const head = Buffer.from('HTTP/1.1 200 OK\r\n\r\n')
    stream.head(10, head, 0, head.length, false)
    end.start(stream)
  }

  close(): void {
    for (const agent of this.agents) agent.close()
    for (const relay of this.relays) for (const cable of relay.cables) cable.relay.close()
  }
}
