import { once } from 'node:events'

import { WebSocket } from 'ws'

import { liveQuery } from './live-graph.ts'

/** Subscribers, each on a socket of its own, all in this process. */
type Command =
  | { readonly open: number; readonly port: number; readonly sameTunnel: boolean }
  /** Answers when every subscriber has got this many events since. */
  | { readonly expect: number }
  | { readonly close: true }

interface Subscriber {
  readonly socket: WebSocket
  received: number
}

const subscribers: Subscriber[] = []
let latencies: number[] = []
let expected = 0
let complete = 0
let whole: () => void = () => undefined

process.on('message', (command: Command) => {
  void carryOut(command).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

async function carryOut(command: Command): Promise<unknown> {
  if ('open' in command) {
    for (let at = 0; at < command.open; at += 100) {
      const some = Math.min(100, command.open - at)
      await Promise.all(
        Array.from({ length: some }, (_none, index) =>
          open(command.port, command.sameTunnel ? 't1' : `t${at + index}`),
        ),
      )
    }
    return subscribers.length
  }
  if ('close' in command) {
    for (const { socket } of subscribers.splice(0)) socket.terminate()
    return 0
  }
  latencies = []
  expected = command.expect
  complete = 0
  for (const subscriber of subscribers) subscriber.received = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  whole = resolve
  process.send?.({ ready: true })
  await promise
  const sorted = latencies.toSorted((one, other) => one - other)
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0
  return { p50Ms: at(0.5), p99Ms: at(0.99), lastMs: sorted.at(-1) ?? 0 }
}

async function open(port: number, tunnelId: string): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate: false,
  })
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'connection_init' }))
  await once(socket, 'message')
  const subscriber: Subscriber = { socket, received: 0 }
  subscribers.push(subscriber)
  socket.on('message', (data: Buffer) => receive(subscriber, data))
  const payload = { query: liveQuery, variables: { id: tunnelId } }
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }))
}

function receive(subscriber: Subscriber, data: Buffer): void {
  const now = performance.timeOrigin + performance.now()
  const text = data.toString('utf8')
  const sentAtMs = Number(/"sentAtMs":([\d.]+)/.exec(text)?.[1])
  if (!text.includes('"domain":"example.net"') || Number.isNaN(sentAtMs)) {
    throw new Error(`not a joined event: ${text.slice(0, 500)}`)
  }
  latencies.push(now - sentAtMs)
  subscriber.received += 1
  if (subscriber.received !== expected) return
  complete += 1
  if (complete === subscribers.length) whole()
}
