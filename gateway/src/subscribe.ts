import type { QueryPlan, SubscriptionNode } from '@apollo/query-planner'
import type { InternalSigner, SubgraphName } from '@sluice/kit/internal-token'
import type { Log } from '@sluice/kit/log'
import { SluiceError } from '@sluice/schema/errors'

import type { Call } from './call.ts'
import { publicResult } from './execute.ts'
import type { Generation, PlannedRequest, Sources } from './generation.ts'
import { errorOf, fetchFailure, subgraphError } from './graph-errors.ts'
import type { Limits } from './limits.ts'
import { LiveSubscription, type PublicResult } from './live-subscription.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Source } from './subgraph-source.ts'
import type { Upstream } from './upstream.ts'

export interface Subscriptions {
  readonly sources: Sources
  readonly upstreams: Readonly<Record<SubgraphName, Upstream>>
  readonly signer: InternalSigner
  readonly limits: Limits
  readonly metrics: GatewayMetrics
  readonly log: Log
}

/**
 * A subscription over several subgraphs. The planner splits it into a primary fetch, which becomes a subscription at
 * the subgraph that owns the field, and the rest. For each event the whole plan runs as a query whose primary fetch is
 * answered from the event: output rewrites, error paths, hidden fields and result shaping are the executor's own.
 */
export function subscribe(
  generation: Generation,
  request: Omit<PlannedRequest, 'context'>,
  call: Call,
  label: string,
  { sources, upstreams, signer, limits, metrics, log }: Subscriptions,
): LiveSubscription {
  const { primary, rest } = subscriptionOf(
    generation.planOf(request.document, request.operationName),
  )
  const subgraph = primary.serviceName as SubgraphName
  const plan: QueryPlan = {
    kind: 'QueryPlan',
    node: rest ? { kind: 'Sequence', nodes: [primary, rest] } : primary,
  }
  const { requestId } = call
  const running = new Set<AbortController>()

  async function join(event: unknown): Promise<PublicResult> {
    const stop = new AbortController()
    const deadline = setTimeout(() => {
      stop.abort(new DOMException('the join took too long', 'TimeoutError'))
    }, limits.joinTimeoutMs)
    const stopTimer = metrics.joinSeconds.startTimer()
    running.add(stop)
    try {
      const context: Call = { ...call, signal: stop.signal }
      const joined = { ...sources, [subgraph]: answering(event) }
      const raw = await generation.run(plan, joined, { ...request, context })
      return publicResult(raw, requestId, log)
    } catch (error) {
      log.error({ err: error, requestId }, 'join failed')
      return { data: null, errors: [fetchFailure('SLUICE_INTERNAL', requestId)] }
    } finally {
      clearTimeout(deadline)
      running.delete(stop)
      stopTimer()
    }
  }

  /** The owning subgraph's source, which has one answer already: the event. */
  function answering(event: unknown): Source {
    return {
      process: (options) =>
        options.request.query === primary.operation
          ? Promise.resolve(eventAnswer(event) as never)
          : (sources[subgraph] as Source).process(options),
    }
  }

  function eventAnswer(event: unknown) {
    const { data, errors } = (event ?? {}) as { data?: unknown; errors?: unknown }
    if (!Array.isArray(errors)) return { data: data ?? null }
    const about = { subgraph, requestId, log }
    return { data: data ?? null, errors: errors.map((error) => subgraphError(error, about)) }
  }

  const live = new LiveSubscription({
    join,
    bounds: {
      events: limits.eventsQueuedMax,
      bytes: limits.eventBytesQueuedMax,
      window: limits.joinWindow,
    },
    onDrop: (events) => metrics.eventsDropped.inc({ operation: label }, events),
    onEnd: () => {
      call.signal.removeEventListener('abort', aborted)
      closeUpstream()
      for (const stop of running) stop.abort(new DOMException('the client left', 'AbortError'))
      metrics.subscriptions.dec()
    },
  })

  function ended(reason: string, last: PublicResult | null): void {
    metrics.subscriptionsEnded.inc({ reason })
    live.finish(last)
  }

  metrics.subscriptions.inc()
  const closeUpstream = upstreams[subgraph].open(
    {
      query: primary.operation,
      operationName: primary.operationName,
      variables: pick(request.variables, primary.variableUsages),
      extensions: async () => ({
        internal: await signer.headerFor(call.principal, subgraph),
        requestId,
        visitorIp: call.visitorIp,
      }),
    },
    {
      event: (payload, bytes) => live.push(payload, bytes),
      complete: () => ended('complete', null),
      refused: (errors) => {
        const about = { subgraph, requestId, log }
        ended('refused', { errors: errors.map((error) => subgraphError(error, about)) })
      },
      failed: (how) => {
        const code = how === 'lost' ? 'SLUICE_SUBSCRIPTION_LOST' : 'SLUICE_SUBGRAPH_UNAVAILABLE'
        ended(how, { errors: [errorOf(new SluiceError(code))] })
      },
    },
  )

  const aborted = () => {
    const { reason } = call.signal as { reason: unknown }
    const code = reason instanceof SluiceError ? reason.code : 'left'
    metrics.subscriptionsEnded.inc({ reason: code })
    live.end(reason instanceof SluiceError ? { errors: [errorOf(reason)] } : null)
  }
  if (call.signal.aborted) aborted()
  else call.signal.addEventListener('abort', aborted, { once: true })
  return live
}

function subscriptionOf({ node }: QueryPlan): SubscriptionNode {
  if (node?.kind === 'Subscription') return node
  throw new SluiceError('SLUICE_INPUT_INVALID', { reason: 'there is nothing to subscribe to' })
}

function pick(
  variables: Readonly<Record<string, unknown>>,
  names: readonly string[] | undefined,
): Record<string, unknown> {
  return Object.fromEntries(
    (names ?? [])
      .filter((name) => Object.hasOwn(variables, name))
      .map((name) => [name, variables[name]]),
  )
}
