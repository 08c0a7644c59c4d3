import type { Duplex } from 'node:stream'

import type { Log } from '@sluice/kit/log'
import { SocketWriter } from '@sluice/kit/socket-writer'
import { SluiceError, type ErrorCode } from '@sluice/schema/errors'
import { CloseCode, MessageType } from 'graphql-ws'
import { WebSocket, type RawData } from 'ws'

import type { Authenticator, Caller } from './authenticate.ts'
import { identityKeyOf, type Call } from './call.ts'
import type { Door } from './check-operation.ts'
import { errorOf, refusalErrors } from './graph-errors.ts'
import { parseGraphRequest } from './graph-request.ts'
import type { Limits } from './limits.ts'
import type { LiveSubscription } from './live-subscription.ts'
import type { Operations } from './operations.ts'
import type { Admission } from './public/admission.ts'
import { parseClientMessage } from './socket-message.ts'

export interface SocketOptions {
  operations: Operations
  authenticator: Authenticator
  admission: Admission
  documents: Door['documents']
  limits: Limits
  log: Log
}

interface Running {
  readonly stop: AbortController
  readonly done: Promise<void>
}

/** Close codes beyond graphql-ws's own: of the WebSocket protocol, and retried by its client. */
const serviceRestart = 1012
const tryAgainLater = 1013
/** Why a client is not let in that may be later, with the same credential. */
const passing: ReadonlySet<ErrorCode> = new Set([
  'SLUICE_SUBGRAPH_UNAVAILABLE',
  'SLUICE_RATE_LIMITED',
])

/**
 * One client's graphql-ws connection. It belongs to whoever `connection_init` named; when that credential ends, so do
 * its operations, and the socket closes with 4403, upon which a client connects again with a fresh one.
 */
export class SocketConnection {
  readonly #socket: WebSocket
  readonly #writer: SocketWriter
  readonly #visitorIp: string
  readonly #options: SocketOptions
  readonly #operations = new Map<string, Running>()
  readonly #initTimer: NodeJS.Timeout
  readonly #pingTimer: NodeJS.Timeout
  #initReceived = false
  #caller: Caller | null = null
  #closing = false
  #heard = true
  #unwatch: () => void = () => undefined

  /** `transport`: what the socket writes to. */
  constructor(socket: WebSocket, transport: Duplex, visitorIp: string, options: SocketOptions) {
    this.#socket = socket
    this.#writer = new SocketWriter(socket, transport)
    this.#visitorIp = visitorIp
    this.#options = options
    const { limits } = options
    this.#initTimer = setTimeout(() => {
      const code = CloseCode.ConnectionInitialisationTimeout
      if (!this.#initReceived) socket.close(code, 'Connection initialisation timeout')
    }, limits.connectionInitMs)
    this.#pingTimer = setInterval(() => this.#ping(), limits.pingMs)
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('pong', () => (this.#heard = true))
    // `close` follows, with everything that has to be done.
    socket.on('error', (error) => options.log.debug({ err: error }, 'socket failed'))
    socket.once('close', () => this.#closed())
  }

  /** The gateway stops or restarts: the client's library connects again. */
  restart(): void {
    this.#end(serviceRestart, 'Service restart', null)
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#heard = true
    if (this.#closing) return
    const message = isBinary ? null : parseClientMessage(textOf(data))
    if (!message) return this.#writer.close(CloseCode.BadRequest, 'Invalid message received')
    switch (message.type) {
      case MessageType.ConnectionInit:
        return void this.#initialise(message.payload)
      case MessageType.Ping:
        return this.#sendNow({ type: MessageType.Pong, payload: message.payload })
      case MessageType.Pong:
        return
      case MessageType.Subscribe:
        return this.#subscribe(message.id, message.payload)
      case MessageType.Complete:
        return this.#cancel(message.id)
    }
  }

  async #initialise(payload: Record<string, unknown>): Promise<void> {
    if (this.#initReceived) {
      const code = CloseCode.TooManyInitialisationRequests
      return this.#writer.close(code, 'Too many initialisation requests')
    }
    this.#initReceived = true
    const { authenticator, admission, log } = this.#options
    let caller: Caller
    try {
      const authorization = authorizationOf(payload)
      caller = await authenticator.authenticate(authorization, this.#visitorIp)
      admission.assertAdmitted(caller.principal)
      this.#caller = caller
    } catch (error) {
      if (!(error instanceof SluiceError)) log.error({ err: error }, 'could not authenticate')
      const code = error instanceof SluiceError ? error.code : 'SLUICE_INTERNAL'
      const isFinal = error instanceof SluiceError && !passing.has(code)
      return this.#writer.close(isFinal ? CloseCode.Forbidden : tryAgainLater, code)
    }
    if (this.#socket.readyState !== WebSocket.OPEN) return
    this.#unwatch = authenticator.watch(
      caller,
      this.#visitorIp,
      (reason) => this.#end(CloseCode.Forbidden, reason.code, reason),
      (changed) => (this.#caller = changed),
    )
    this.#sendNow({ type: MessageType.ConnectionAck })
  }

  #subscribe(id: string, payload: Record<string, unknown>): void {
    const caller = this.#caller
    if (!caller) return this.#writer.close(CloseCode.Unauthorized, 'Unauthorized')
    if (this.#operations.has(id)) {
      const code = CloseCode.SubscriberAlreadyExists
      return this.#writer.close(code, `Subscriber for ${id.slice(0, 64)} already exists`)
    }
    const { operationsPerSocketMax: max } = this.#options.limits
    if (this.#operations.size >= max) {
      const error = errorOf(new SluiceError('SLUICE_SUBSCRIPTIONS_MAX', { max }))
      return this.#sendNow({ id, type: MessageType.Error, payload: [error] })
    }
    const stop = new AbortController()
    const done = this.#operate(id, payload, caller, stop).catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'operation failed')
    })
    this.#operations.set(id, { stop, done })
  }

  async #operate(
    id: string,
    payload: Record<string, unknown>,
    { principal, authorization }: Caller,
    stop: AbortController,
  ): Promise<void> {
    const { operations, authenticator, admission, documents, limits, log } = this.#options
    const budget = admission.budgetOf(principal)
    const requestId = crypto.randomUUID()
    const call: Call = {
      principal,
      ...(budget ? { budget } : {}),
      identityKey: identityKeyOf(principal, this.#visitorIp),
      requestId,
      visitorIp: this.#visitorIp,
      signal: stop.signal,
      userAgent: null,
      // A socket has no answer to set a cookie with, and no proof that the page behind it is ours.
      refreshToken: null,
      setCookie: () => undefined,
      identityChanged: () => authenticator.forget(authorization),
    }
    // The caller of this function registers the operation first.
    await Promise.resolve()
    const isOver = () => this.#operations.get(id)?.stop !== stop
    try {
      if (budget) await budget.enter()
      const request = parseGraphRequest(payload, limits)
      const outcome = await operations.run(request, principal, call, {
        transport: 'websocket',
        documents,
      })
      if (outcome.kind === 'refused') {
        if (!isOver()) this.#sendNow({ id, type: MessageType.Error, payload: outcome.errors })
        return
      }
      if (outcome.kind === 'live') await this.#stream(id, outcome.live, isOver)
      else if (!isOver()) {
        this.#writer.send(nextMessage(id, JSON.stringify(outcome.result)))
        if (this.#isFull()) await this.#writer.flushed()
      }
      // What the gateway ends is not complete: the client's library asks for it again on its next socket.
      if (!isOver() && !this.#closing) this.#sendNow({ id, type: MessageType.Complete })
    } catch (error) {
      const errors = refusalErrors(error, requestId, log)
      if (!isOver()) this.#sendNow({ id, type: MessageType.Error, payload: errors })
    } finally {
      if (!isOver()) this.#operations.delete(id)
    }
  }

  async #stream(id: string, live: LiveSubscription, isOver: () => boolean): Promise<void> {
    try {
      while (!isOver() && (await live.readable())) {
        for (let result = live.take(); result !== null; result = live.take()) {
          if (isOver()) return
          this.#writer.send(nextMessage(id, result))
          if (this.#isFull()) await this.#writer.flushed()
        }
      }
    } finally {
      live.end('left', null)
    }
  }

  /** An operation waits for its reader then, and nobody else does. */
  #isFull(): boolean {
    return this.#writer.bufferedBytes > this.#options.limits.socketBufferBytesMax
  }

  #sendNow(message: object): void {
    // A client that asks without end and never reads.
    const { socketBufferBytesMax, messageBytesMax } = this.#options.limits
    if (this.#writer.bufferedBytes > 4 * (socketBufferBytesMax + messageBytesMax)) {
      return this.#socket.terminate()
    }
    this.#writer.send(JSON.stringify(message))
  }

  #cancel(id: string): void {
    const running = this.#operations.get(id)
    this.#operations.delete(id)
    running?.stop.abort(new DOMException('the client completed it', 'AbortError'))
  }

  /** Ends every operation, with the reason as its last payload, then the socket. */
  #end(code: number, text: string, reason: SluiceError | null): void {
    if (this.#closing) return
    this.#closing = true
    this.#unwatch()
    const running = [...this.#operations.values()]
    const ending = reason ?? new DOMException('the gateway stops', 'AbortError')
    for (const { stop } of running) stop.abort(ending)
    const close = () => {
      clearTimeout(grace)
      this.#writer.close(code, text)
    }
    // A client that does not read its last payload is not waited for.
    const grace = setTimeout(close, this.#options.limits.closeGraceMs)
    void Promise.all(running.map(({ done }) => done)).then(close)
  }

  #ping(): void {
    if (!this.#heard) return this.#socket.terminate()
    this.#heard = false
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping()
  }

  #closed(): void {
    this.#closing = true
    clearTimeout(this.#initTimer)
    clearInterval(this.#pingTimer)
    this.#unwatch()
    for (const id of Array.from(this.#operations.keys())) this.#cancel(id)
  }
}

function nextMessage(id: string, result: string): string {
  return `{"id":${JSON.stringify(id)},"type":"next","payload":${result}}`
}

/** One buffer per message, as `ws` delivers with its default binary type. */
function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString('utf8') : ''
}

function authorizationOf(payload: Record<string, unknown>): string | null {
  const value = payload['authorization'] ?? payload['Authorization'] ?? null
  if (value !== null && typeof value !== 'string') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  return value
}
