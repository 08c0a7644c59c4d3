import { connect, createServer, type Socket } from 'node:net'

import { Redial, openSocketLink, type Session } from '@sluice/wire'

/** What the driver is told: each message is answered once it is done. */
export type FleetOrder =
  | {
      readonly kind: 'agents'
      readonly port: number
      readonly edgeHost: string
      readonly tokens: readonly string[]
    }
  | { readonly kind: 'online' }
  | { readonly kind: 'upstream' }
  | {
      readonly kind: 'websockets'
      readonly port: number
      readonly host: string
      readonly count: number
    }

/** Connections that are opened at once: a listener has a queue. */
const openingMax = 100
const upgrade =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'

process.on('message', (order: FleetOrder) => {
  void obey(order).then(
    (value) => process.send?.({ value }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

let online = 0
let wanted = 0
let allOnline = Promise.withResolvers<void>()

async function obey(order: FleetOrder): Promise<number> {
  if (order.kind === 'upstream') return openUpstream()
  if (order.kind === 'websockets') {
    await inTurns(order.count, () => openWebSocket(order.port, order.host))
    return order.count
  }
  if (order.kind === 'agents') {
    wanted += order.tokens.length
    await inTurns(order.tokens.length, (index) => openAgent(order, order.tokens[index] ?? ''))
  } else if (online < wanted) await allOnline.promise
  return online
}

async function inTurns(count: number, open: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await open((next += 1) - 1)
  }
  await Promise.all(Array.from({ length: openingMax }, worker))
}

/** An agent as far as its session goes, redialling as agents do. Resolves when it is online for the first time. */
function openAgent(
  { port, edgeHost }: { port: number; edgeHost: string },
  token: string,
): Promise<void> {
  const first = Promise.withResolvers<void>()
  const io = {
    random: Math.random,
    setTimer(callback: () => void, delayMs: number) {
      const timer = setTimeout(callback, delayMs)
      return () => clearTimeout(timer)
    },
  }
  const redial = new Redial(io, () => {
    const socket = connect({ port, host: '127.0.0.1' })
    let session: Session | undefined
    socket.on('error', () => undefined)
    socket.once('close', () => {
      if (!session) redial.again()
    })
    socket.write(
      `GET /_sluice/session HTTP/1.1\r\nHost: ${edgeHost}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    socket.once('data', (head: Buffer) => {
      if (!head.toString('latin1', 0, 12).endsWith(' 101')) {
        socket.destroy()
        return
      }
      let welcomed = false
      session = openSocketLink('agent', socket, head.subarray(head.indexOf('\r\n\r\n') + 4), {
        onWelcome() {
          welcomed = true
          redial.online()
          note(1)
          first.resolve()
        },
        onOpen(stream) {
          const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
          stream.head(10, answer, 0, answer.length, true)
        },
        onClose() {
          if (welcomed) note(-1)
          redial.again()
        },
      }).session
      session.hello(token, 'fleet')
    })
  })
  redial.again()
  return first.promise
}

function note(change: 1 | -1): void {
  online += change
  if (online < wanted) return
  allOnline.resolve()
  allOnline = Promise.withResolvers()
}

/** Says yes to every upgrade, and nothing more. */
function openUpstream(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).resume()
    socket.once('data', () => socket.write(upgrade))
  })
  return new Promise((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
}

/** Kept open for as long as the driver runs. */
const visitors: Socket[] = []

function openWebSocket(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    visitors.push(socket)
    socket.on('error', reject)
    socket.once('close', () => reject(new Error('a WebSocket was closed')))
    socket.write(
      `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
    socket.once('data', (head: Buffer) => {
      if (head.toString('latin1', 0, 12).endsWith(' 101')) resolve()
      else reject(new Error(head.toString('latin1')))
    })
  })
}
