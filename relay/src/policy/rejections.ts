import type { Log } from '@sluice/kit/log'
import { Counter, type Registry } from 'prom-client'

import type { Refusal } from '../route.ts'
import type { TunnelSession } from '../sessions.ts'
import { TokenBucket } from '../token-bucket.ts'

/** Log lines per second; more are counted and said with the next one. */
const linesPerSecond = 10
const linesBurst = 50

/** Tells the operator and the owner why the edge refused: a metric by reason, and a log line that a flood cannot multiply. */
export class Rejections {
  readonly #counter: Counter<'code' | 'reason'>
  readonly #log: Log
  readonly #lines = new TokenBucket(linesPerSecond, linesBurst)
  #unsaid = 0

  constructor(registry: Registry, log: Log) {
    this.#log = log
    this.#counter = new Counter({
      name: 'sluice_relay_policy_rejections_total',
      help: 'Visitor requests refused by the edge policy, by code and reason',
      labelNames: ['code', 'reason'],
      registers: [registry],
    })
  }

  note({ code, reason, tunnel }: Refusal & { readonly tunnel?: TunnelSession }): void {
    // Without a reason it is the state of relay or agent, not a rule of the owner.
    if (reason === undefined) return
    this.#counter.inc({ code, reason })
    if (!this.#lines.take(performance.now())) {
      this.#unsaid += 1
      return
    }
    const unsaid = this.#unsaid
    this.#unsaid = 0
    const { tunnelId, organizationId } = tunnel?.claims ?? {}
    this.#log.info(
      { code, reason, tunnelId, organizationId, ...(unsaid > 0 ? { unsaid } : {}) },
      'request refused',
    )
  }
}
