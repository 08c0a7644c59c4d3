import { createMetrics } from '@sluice/kit/metrics'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Figures of one gateway. Labels come from closed lists: registered operation names, codes, subgraphs, reasons. */
export interface GatewayMetrics {
  readonly registry: Registry
  /** Operations answered, by registered name (`other` for what is not registered), transport and code (`ok`). */
  readonly operations: Counter<'operation' | 'transport' | 'code'>
  readonly subgraphSeconds: Histogram<'subgraph'>
  readonly subgraphRequests: Counter<'subgraph'>
  readonly apolloRuns: Counter
  readonly sockets: Gauge
  readonly subscriptions: Gauge
  readonly upstreams: Gauge<'subgraph'>
  readonly eventsDropped: Counter<'operation'>
  readonly subscriptionsEnded: Counter<'reason'>
  readonly joinSeconds: Histogram
}

export function createGatewayMetrics(options: { processFigures: boolean }): GatewayMetrics {
  const registry = createMetrics('gateway', options)
  const registers = [registry]
  return {
    registry,
    operations: new Counter({
      name: 'sluice_gateway_operations_total',
      help: 'Operations answered.',
      labelNames: ['operation', 'transport', 'code'],
      registers,
    }),
    subgraphSeconds: new Histogram({
      name: 'sluice_gateway_subgraph_seconds',
      help: 'Time until a subgraph had answered.',
      labelNames: ['subgraph'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    subgraphRequests: new Counter({
      name: 'sluice_gateway_subgraph_requests_total',
      help: 'Requests sent to subgraphs, after equal fetches and entities were joined.',
      labelNames: ['subgraph'],
      registers,
    }),
    apolloRuns: new Counter({
      name: 'sluice_gateway_apollo_runs_total',
      help: 'Plans run by the executor of @apollo/gateway, because ours does not take them.',
      registers,
    }),
    sockets: new Gauge({
      name: 'sluice_gateway_sockets',
      help: 'Open graphql-ws sockets.',
      registers,
    }),
    subscriptions: new Gauge({
      name: 'sluice_gateway_subscriptions',
      help: 'Live subscriptions of clients.',
      registers,
    }),
    upstreams: new Gauge({
      name: 'sluice_gateway_upstreams',
      help: 'Live subscriptions to subgraphs.',
      labelNames: ['subgraph'],
      registers,
    }),
    eventsDropped: new Counter({
      name: 'sluice_gateway_events_dropped_total',
      help: 'Events that a slow client never got.',
      labelNames: ['operation'],
      registers,
    }),
    subscriptionsEnded: new Counter({
      name: 'sluice_gateway_subscriptions_ended_total',
      help: 'Why live subscriptions ended.',
      labelNames: ['reason'],
      registers,
    }),
    joinSeconds: new Histogram({
      name: 'sluice_gateway_join_seconds',
      help: 'Time to join the events of a moment with other subgraphs.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
  }
}
