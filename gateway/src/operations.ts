import type { InternalSigner, SubgraphName } from '@sluice/kit/internal-token'
import type { Log } from '@sluice/kit/log'
import type { Principal } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'
import { OperationTypeNode } from 'graphql'

import type { Call } from './call.ts'
import { checkOperation, type Door } from './check-operation.ts'
import type { CheckedDocument } from './documents.ts'
import { assertVariables, execute } from './execute.ts'
import type { Sources } from './executor/fetch.ts'
import type { Generations } from './generations.ts'
import { codeOf, refusalErrors, type PublicError } from './graph-errors.ts'
import type { GraphRequest } from './graph-request.ts'
import type { Limits } from './limits.ts'
import type { LiveSubscription, PublicResult } from './live-subscription.ts'
import type { GatewayMetrics } from './metrics.ts'
import { payPerEvents } from './public/event-price.ts'
import { createSubscriptions } from './subscribe.ts'
import { Tally } from './tally.ts'
import type { Upstream } from './upstream.ts'

/** What came of an operation. `refused` means that nothing ran. */
type Outcome =
  | { kind: 'refused'; errors: readonly PublicError[] }
  | { kind: 'result'; result: PublicResult }
  | { kind: 'live'; live: LiveSubscription }

export interface Operations {
  /** Never rejects. */
  run(request: GraphRequest, principal: Principal, call: Call, door: Door): Promise<Outcome>
}

export interface OperationsOptions {
  generations: Generations
  sources: Sources
  upstreams: Readonly<Record<SubgraphName, Upstream>>
  signer: InternalSigner
  limits: Limits
  metrics: GatewayMetrics
  log: Log
}

/** Takes an operation from any transport of a door to its end: check, plan, then run or subscribe. */
export function createOperations(options: OperationsOptions): Operations {
  const { generations, sources, limits, metrics, log } = options
  const subscriptions = createSubscriptions(options)
  const livesOf = new Tally()

  /** Names of unregistered documents are whatever somebody typed: one label for all of them. */
  const labelOf = (document: CheckedDocument | null) => document?.registeredAs ?? 'other'

  function count(label: string, door: Door, errors: readonly PublicError[] | undefined): void {
    const code = errors ? codeOf(errors) : 'ok'
    metrics.operations.inc({ operation: label, transport: door.transport, code })
  }

  return {
    async run(request, principal, call, door) {
      const generation = generations.current()
      let document: CheckedDocument | null = null
      try {
        document = generation.documents.check(request.sent)
        const { operationName, variables } = request
        const operation = checkOperation(document, operationName, principal, door)
        assertVariables(generation, operation, variables)
        const planned = { document, operationName, variables }
        const cost = call.budget
          ? await call.budget.spend(generation.costOf(document.document, operation, variables))
          : null

        if (operation.operation === OperationTypeNode.SUBSCRIPTION) {
          const key = callerKeyOf(call)
          const max = limits.subscriptionsPerCallerMax
          if (livesOf.count(key) >= max) throw new SluiceError('SLUICE_SUBSCRIPTIONS_MAX', { max })
          const live = subscriptions.subscribe(generation, planned, call, labelOf(document))
          live.onceEnded(livesOf.add(key))
          if (call.budget && cost) {
            payPerEvents(live, cost.requested, call.budget)
          }
          generations.hold(generation, live)
          count(labelOf(document), door, undefined)
          return { kind: 'live', live }
        }
        const result = await execute(generation, planned, call, sources, log)
        count(labelOf(document), door, result.errors)
        return { kind: 'result', result: cost ? { ...result, extensions: { cost } } : result }
      } catch (error) {
        const errors = refusalErrors(error, call.requestId, log)
        count(labelOf(document), door, errors)
        return { kind: 'refused', errors }
      }
    },
  }
}

/** Whose live streams are counted together. */
function callerKeyOf({ principal, visitorIp }: Call): string {
  const { kind, id } = principal
  return kind === 'anonymous' ? visitorIp : `${kind} ${id}`
}
