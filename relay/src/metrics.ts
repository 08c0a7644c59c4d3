import { Counter, Gauge, type Registry } from 'prom-client'

import type { Observed } from './edge/observed.ts'
import type { ObservedConnection } from './raw/raw-context.ts'

const boundsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Counts requests in plain numbers: a histogram object per request would cost more than the request's own work. */
export class RelayMetrics {
  readonly #byClass = new Float64Array(6)
  readonly #byCode = new Map<string, number>()
  readonly #duration = new LatencyHistogram(
    'sluice_relay_request_duration_seconds',
    'First byte in to last byte out',
  )
  readonly #firstByte = new LatencyHistogram(
    'sluice_relay_first_byte_seconds',
    'Request head in to response head from the agent',
  )
  #bytesIn = 0
  #bytesOut = 0
  readonly dropped: Counter<'what'>
  readonly datagramsDropped: Counter<'reason'>
  readonly #connections: Counter<'protocol'>
  readonly connectionsRefused: Counter<'reason'>
  readonly sessionsOpened: Counter
  readonly peersRefused: Counter
  readonly peersSilent: Counter
  readonly forwarded: Counter
  readonly sessionsRefused: Counter<'code'>

  constructor(
    registry: Registry,
    read: {
      sessions: () => number
      sessionsInGrace: () => number
      controlPlaneAway: () => boolean
      streams: () => number
      connections: () => number
    },
  ) {
    const registers = [registry]
    const gauge = (name: string, help: string, value: () => number): void => {
      const metric: Gauge = new Gauge({ name, help, registers, collect: () => metric.set(value()) })
    }
    gauge('sluice_relay_sessions', 'Agent sessions open', read.sessions)
    gauge(
      'sluice_relay_sessions_in_grace',
      'Agent sessions past their agent token while the control plane is away',
      read.sessionsInGrace,
    )
    gauge('sluice_relay_control_plane_away', '1 while heartbeats get no answer', () =>
      Number(read.controlPlaneAway()),
    )
    gauge('sluice_relay_streams', 'Streams open', read.streams)
    gauge('sluice_relay_visitor_connections', 'Visitor connections open', read.connections)
    this.#counters(registers)
    this.dropped = new Counter({
      name: 'sluice_relay_observations_dropped_total',
      help: 'Observations given up because Redis was away or the limit was reached',
      labelNames: ['what'],
      registers,
    })
    this.datagramsDropped = new Counter({
      name: 'sluice_relay_datagrams_dropped_total',
      help: 'Datagrams of UDP tunnels given up, by reason',
      labelNames: ['reason'],
      registers,
    })
    this.#connections = new Counter({
      name: 'sluice_relay_connections_total',
      help: 'Raw connections and UDP flows that have ended, by protocol',
      labelNames: ['protocol'],
      registers,
    })
    this.forwarded = new Counter({
      name: 'sluice_relay_forwarded_total',
      help: 'Visitor requests brought to the relay that holds the tunnel',
      registers,
    })
    this.peersRefused = new Counter({
      name: 'sluice_relay_peers_refused_total',
      help: 'Connections of other relays without a preface that could be believed',
      registers,
    })
    this.peersSilent = new Counter({
      name: 'sluice_relay_peers_silent_total',
      help: 'Times that another relay showed no life for too long and requests brought to it were given up',
      registers,
    })
    this.connectionsRefused = new Counter({
      name: 'sluice_relay_connections_refused_total',
      help: 'Visitor connections closed unanswered, because of their address or because all places were taken',
      labelNames: ['reason'],
      registers,
    })
    this.sessionsOpened = new Counter({
      name: 'sluice_relay_sessions_opened_total',
      help: 'Agent sessions welcomed',
      registers,
    })
    this.sessionsRefused = new Counter({
      name: 'sluice_relay_sessions_refused_total',
      help: 'Agent sessions refused or ended, by code',
      labelNames: ['code'],
      registers,
    })
    registry.registerMetric(this.#duration as never)
    registry.registerMetric(this.#firstByte as never)
  }

  observe({ status, code, requestBytes, responseBytes, durationMs, firstByteMs }: Observed): void {
    const statusClass = status >= 100 && status < 600 ? Math.floor(status / 100) : 0
    this.#byClass[statusClass] = (this.#byClass[statusClass] ?? 0) + 1
    if (code) this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1)
    this.#bytesIn += requestBytes
    this.#bytesOut += responseBytes
    this.#duration.observe(durationMs)
    if (firstByteMs !== undefined) this.#firstByte.observe(firstByteMs)
  }

  observeConnection({ protocol, code, bytesIn, bytesOut }: ObservedConnection): void {
    this.#connections.inc({ protocol })
    if (code) this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1)
    this.#bytesIn += bytesIn
    this.#bytesOut += bytesOut
  }

  #counters(registers: Registry[]): void {
    const requests = new Counter({
      name: 'sluice_relay_requests_total',
      help: 'Visitor requests by status class',
      labelNames: ['status'],
      registers,
      collect: () => {
        requests.reset()
        for (const [index, count] of this.#byClass.entries()) {
          requests.inc({ status: index === 0 ? 'none' : `${index}xx` }, count)
        }
      },
    })
    const rejections = new Counter({
      name: 'sluice_relay_rejections_total',
      help: 'Visitor requests answered by the edge, by code',
      labelNames: ['code'],
      registers,
      collect: () => {
        rejections.reset()
        for (const [code, count] of this.#byCode) rejections.inc({ code }, count)
      },
    })
    const bytes = new Counter({
      name: 'sluice_relay_body_bytes_total',
      help: 'Body bytes of visitor requests (in) and responses (out)',
      labelNames: ['direction'],
      registers,
      collect: () => {
        bytes.reset()
        bytes.inc({ direction: 'in' }, this.#bytesIn)
        bytes.inc({ direction: 'out' }, this.#bytesOut)
      },
    })
  }
}

/** A histogram with the shape that prom-client prints, and an `observe` of a few comparisons. */
class LatencyHistogram {
  readonly name: string
  readonly #help: string
  readonly #counts = new Float64Array(boundsSeconds.length + 1)
  #sumSeconds = 0

  constructor(name: string, help: string) {
    this.name = name
    this.#help = help
  }

  observe(ms: number): void {
    const seconds = ms / 1000
    this.#sumSeconds += seconds
    let index = 0
    while (index < boundsSeconds.length && seconds > (boundsSeconds[index] ?? Infinity)) index += 1
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
  }

  get() {
    let total = 0
    const values = [...boundsSeconds, '+Inf' as const].map((le, index) => {
      total += this.#counts[index] ?? 0
      return { metricName: `${this.name}_bucket`, labels: { le }, value: total }
    })
    return {
      name: this.name,
      help: this.#help,
      type: 'histogram',
      aggregator: 'sum',
      values: [
        ...values,
        { metricName: `${this.name}_sum`, labels: {}, value: this.#sumSeconds },
        { metricName: `${this.name}_count`, labels: {}, value: total },
      ],
    }
  }

  reset(): void {
    this.#counts.fill(0)
    this.#sumSeconds = 0
  }
}
