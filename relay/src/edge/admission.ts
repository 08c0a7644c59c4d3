import type { ErrorCode } from '@sluice/schema/errors'

import { visitOf } from '../policy/interstitial.ts'
import type { CompiledPolicy } from '../policy/policy.ts'
import { HeldRequest, webhookBytesMax, type HeldFault } from '../policy/webhook/held-request.ts'
import type { WebhookFault } from '../policy/webhook/signature.ts'
import { signedFieldsOf } from '../policy/webhook/webhook-check.ts'
import type { Asker } from './dispatch.ts'
import type { EdgeContext } from './edge-context.ts'
import { redirectResponse } from './error-response.ts'
import type { Exchange } from './exchange.ts'
import type { RequestBody } from './request-body.ts'
import type { VisitorHost } from './visitor-host.ts'

/** A request's body that was held back until the request was found right. */
export interface HeldBody {
  readonly bytes: Buffer
  readonly trailers: Buffer | undefined
}

interface AdmissionParts {
  readonly edge: EdgeContext
  readonly exchange: Exchange
  readonly host: VisitorHost
  readonly body: RequestBody
  readonly asker: Asker
}

/** What a policy asks of a request that is otherwise let through: a browser's consent, and a webhook's signature. */
export class Admission {
  readonly #parts: AdmissionParts

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  /** Whether the request may go on now. False: it was answered, or is held; `open` then takes it on. */
  admits(
    policy: CompiledPolicy,
    head: { readonly buffer: Buffer; readonly start: number; readonly end: number },
    open: (held: HeldBody) => void,
  ): boolean {
    if (policy.interstitial && !this.#consents(head.buffer, head.start)) return false
    if (!policy.webhook) return true
    this.#hold(policy.webhook, head.buffer, open)
    return false
  }

  #consents(buffer: Buffer, start: number): boolean {
    const { edge, exchange, host, asker } = this.#parts
    const { html } = exchange
    const visit = visitOf(edge.scanner, buffer, start, { html, tls: host.tls !== undefined })
    if (visit.kind === 'passes') return true
    if (visit.kind === 'ask') {
      const { endpointHost } = host
      const code = 'SLUICE_VISIT_UNCONFIRMED'
      edge.rejected({ code, reason: 'notice', ...this.#tunnel() })
      asker.refuse(code, { endpointHost, onward: visit.onward }, visit.lines)
    } else asker.answerWith(redirectResponse(visit.location, visit.lines))
    return false
  }

  #hold(
    webhook: NonNullable<CompiledPolicy['webhook']>,
    buffer: Buffer,
    open: (held: HeldBody) => void,
  ): void {
    const { edge, exchange, body, asker } = this.#parts
    const { scanner } = edge
    if (scanner.contentLength > webhookBytesMax) {
      this.#refuse('too_large')
      return
    }
    const values = signedFieldsOf(scanner, buffer)
    const held = new HeldRequest(edge.webhooks.held, {
      onFault: (fault) => {
        if (exchange.stream === held) this.#refuse(fault)
      },
      onWhole: (bytes, trailers) => {
        void edge.webhooks.faultOf(webhook, { values, body: bytes }).then((fault) => {
          // The visitor may be gone.
          if (exchange.stream !== held) return
          if (fault) this.#refuse(fault)
          else {
            exchange.stream = undefined
            held.reset()
            open({ bytes, trailers })
          }
        })
      },
    })
    exchange.stream = held
    if (exchange.requestKind === 'none') {
      held.end()
      return
    }
    if (scanner.expectIndex >= 0 && exchange.minorVersion === 1) asker.invite()
    body.start(scanner, exchange.requestKind)
    asker.readBody()
  }

  /** The visitor learns no more than that it is not right: what is wrong would help to forge. */
  #refuse(reason: HeldFault | WebhookFault): void {
    const { edge, exchange, asker } = this.#parts
    const code = codes[reason] ?? 'SLUICE_WEBHOOK_UNVERIFIED'
    if (reason === 'too_large' || reason === 'late') exchange.keepAlive = false
    edge.rejected({ code, reason: `webhook_${reason}`, ...this.#tunnel() })
    asker.refuse(code, code === 'SLUICE_WEBHOOK_TOO_LARGE' ? { max: webhookBytesMax } : {})
  }

  #tunnel() {
    const { tunnel } = this.#parts.exchange
    return tunnel ? { tunnel } : {}
  }
}

/** What is wrong with a request rather than with its signature. */
const codes: Partial<Record<string, ErrorCode>> = {
  too_large: 'SLUICE_WEBHOOK_TOO_LARGE',
  late: 'SLUICE_REQUEST_TIMEOUT',
  busy: 'SLUICE_RELAY_UNAVAILABLE',
}
