import type { InternalSigner, SubgraphName } from '@sluice/kit/internal-token'
import type { Log } from '@sluice/kit/log'
import { SluiceError } from '@sluice/schema/errors'

import type { Call } from './call.ts'
import { publicResult } from './execute.ts'
import type { FetchAnswer, Sources } from './executor/fetch.ts'
import type { Generation, PlannedRequest } from './generation.ts'
import { errorOf, fetchFailure, subgraphError } from './graph-errors.ts'
import { JoinLines } from './join-lines.ts'
import type { Limits } from './limits.ts'
import { LiveSubscription, type PublicResult, type QueueBounds } from './live-subscription.ts'
import type { GatewayMetrics } from './metrics.ts'
import { SharedView } from './shared-view.ts'
import type { Upstream } from './upstream.ts'
import { viewKeyOf } from './view-key.ts'

export interface SubscriptionParts {
  readonly sources: Sources
  readonly upstreams: Readonly<Record<SubgraphName, Upstream>>
  readonly signer: InternalSigner
  readonly limits: Limits
  readonly metrics: GatewayMetrics
  readonly log: Log
}

type Request = Omit<PlannedRequest, 'context'>

export interface Subscriptions {
  /** `label`: the operation's name in the metrics. */
  subscribe(generation: Generation, request: Request, call: Call, label: string): LiveSubscription
}

/**
 * Subscriptions over several subgraphs. The planner splits one into a primary fetch, which becomes a subscription at
 * the subgraph that owns the field, and the rest. For each event the whole plan runs as a query whose primary fetch is
 * answered from the event: output rewrites, error paths, hidden fields and result shaping are the executor's own. Those
 * who ask for the same and may see the same share one upstream and one join per event.
 */
export function createSubscriptions(parts: SubscriptionParts): Subscriptions {
  const { limits, metrics } = parts
  const views = new Map<string, SharedView<Call>>()
  const lines = new JoinLines()
  const bounds: QueueBounds = {
    events: limits.eventsQueuedMax,
    bytes: limits.eventBytesQueuedMax,
    window: limits.joinWindow,
  }
  const shared: ViewParts = { ...parts, lines, bounds }

  return {
    subscribe(generation, request, call, label) {
      const key = viewKeyOf(generation, request, call)
      const known = views.get(key)
      const view = known?.isOpen ? known : openView(shared, generation, request, call, label, leave)
      function leave(): void {
        if (views.get(key) === view) views.delete(key)
      }
      views.set(key, view)

      const live = new LiveSubscription({
        onDrop: (events) => metrics.eventsDropped.inc({ operation: label }, events),
        onRoom: view.hasRoom,
        bounds,
      })
      metrics.subscriptions.inc()
      const aborted = () => {
        const { reason } = call.signal as { reason: unknown }
        if (reason instanceof SluiceError) live.endWith(reason)
        else live.end('left', null)
      }
      live.onceEnded((reason) => {
        call.signal.removeEventListener('abort', aborted)
        metrics.subscriptions.dec()
        metrics.subscriptionsEnded.inc({ reason })
      })
      view.add({ live, asker: call })
      if (call.signal.aborted) aborted()
      else call.signal.addEventListener('abort', aborted, { once: true })
      return live
    },
  }
}

interface ViewParts extends SubscriptionParts {
  readonly lines: JoinLines
  readonly bounds: QueueBounds
}

/** Opens the upstream as its first asker; every join runs as one who is still there. */
function openView(
  { sources, upstreams, signer, limits, metrics, log, lines, bounds }: ViewParts,
  generation: Generation,
  request: Request,
  call: Call,
  label: string,
  onClosed: () => void,
): SharedView<Call> {
  const plan = generation.planOf(request.document, request.operationName)
  const { primary } = plan
  if (!primary) {
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason: 'there is nothing to subscribe to' })
  }
  const subgraph = primary.serviceName as SubgraphName
  const about = { subgraph, requestId: call.requestId, log }

  async function join(
    events: readonly unknown[],
    asker: Call,
    stopped: AbortSignal,
  ): Promise<readonly string[]> {
    const { requestId } = asker
    const deadline = startDeadline(limits.joinTimeoutMs, stopped)
    const startedAtMs = performance.now()
    try {
      const context: Call = { ...asker, signal: deadline.signal, batched: true }
      const raw = await plan.join(events.map(eventAnswer), sources, { ...request, context })
      return raw.map((one) => jsonOf(publicResult(one, requestId, log)))
    } catch (error) {
      log.error({ err: error, requestId }, 'join failed')
      const failed = jsonOf({ data: null, errors: [fetchFailure('SLUICE_INTERNAL', requestId)] })
      return events.map(() => failed)
    } finally {
      deadline.clear()
      metrics.joinSeconds.observe((performance.now() - startedAtMs) / 1000)
    }
  }

  function eventAnswer(event: unknown): FetchAnswer {
    const { data, errors } = (event ?? {}) as { data?: unknown; errors?: unknown }
    if (!Array.isArray(errors)) return { data: data ?? null }
    return { data: data ?? null, errors: errors.map((error) => subgraphError(error, about)) }
  }

  const view = new SharedView<Call>({
    join,
    whenToJoin: (asker, begin) => lines.add(asker.identityKey, begin),
    bounds,
    onDrop: (events) => metrics.eventsDropped.inc({ operation: label }, events),
    onClosed() {
      onClosed()
      closeUpstream()
    },
    refusal: (errors) => jsonOf({ errors: errors.map((error) => subgraphError(error, about)) }),
    failure(how) {
      const code = how === 'lost' ? 'SLUICE_SUBSCRIPTION_LOST' : 'SLUICE_SUBGRAPH_UNAVAILABLE'
      return jsonOf({ errors: [errorOf(new SluiceError(code))] })
    },
  })
  const closeUpstream = upstreams[subgraph].open(
    {
      query: primary.operation,
      operationName: primary.operationName,
      variables: pick(request.variables, primary.variableUsages),
      extensions: async () => ({
        internal: await signer.headerFor(call.principal, subgraph),
        requestId: call.requestId,
        visitorIp: call.visitorIp,
      }),
    },
    view,
  )
  return view
}

function jsonOf(result: PublicResult): string {
  return JSON.stringify(result)
}

/** A signal that ends with `stopped`, or when the time is over. */
function startDeadline(
  timeoutMs: number,
  stopped: AbortSignal,
): { signal: AbortSignal; clear: () => void } {
  const stop = new AbortController()
  const end = (): void => stop.abort(stopped.reason)
  const timer = setTimeout(() => {
    stop.abort(new DOMException('the join took too long', 'TimeoutError'))
  }, timeoutMs)
  if (stopped.aborted) end()
  else stopped.addEventListener('abort', end, { once: true })
  return {
    signal: stop.signal,
    clear() {
      clearTimeout(timer)
      stopped.removeEventListener('abort', end)
    },
  }
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
