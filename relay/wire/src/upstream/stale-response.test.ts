import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

import { expect, test } from 'vitest'

import { frameFlag } from '../frame.ts'
import { writeOpenPrefix } from '../open-head.ts'
import { TunnelStream, unowned, type StreamCarrier } from '../stream.ts'
import { Forwarder } from './forwarder.ts'

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const stolen = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen'

async function listening(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** Asks for a path, and answers all that comes back. */
function ask(forwarder: Forwarder, method: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let answer = ''
  const carrier: StreamCarrier = {
    open: true,
    allowance: () => 100_000,
    frame(type, _stream, bytes, start, end) {
      answer += bytes.toString('latin1', start, end)
      if ((type & frameFlag.end) !== 0) resolve(answer)
    },
    enqueue: () => undefined,
    drained: () => undefined,
    reset: (_stream, code) => resolve(`${answer}reset ${code}`),
    forget: () => undefined,
  }
  const head = `${method} / HTTP/1.1\r\nHost: app.test\r\n\r\n`
  const payload = Buffer.alloc(64 + head.length)
  const start = writeOpenPrefix(payload, 0, 0, 0, '127.0.0.1')
  const length = payload.write(head, start, 'latin1')
  forwarder.open(
    new TunnelStream(1, carrier, 100_000, unowned),
    payload.subarray(0, start + length),
    true,
  )
  return promise
}

test.for([
  ['GET', /ok$/],
  ['POST', /^reset SLUICE_UPSTREAM_INVALID$/],
] as const)(
  '%s: a response that waits on a kept connection before the request is not its answer',
  async ([method, expected]) => {
    const upstreams: Socket[] = []
    const upstream = createServer((socket) => {
      upstreams.push(socket)
      socket.on('error', () => undefined).on('data', () => socket.write(ok))
    })
    const forwarder = new Forwarder({
      upstream: { host: '127.0.0.1', port: await listening(upstream), tls: false },
      hostHeader: 'preserve',
    })
    // What brings the request, as an agent's link would.
    const links: Socket[] = []
    const link = createServer((socket) => links.push(socket))
    const trigger = connect(await listening(link), '127.0.0.1')
    await once(trigger, 'connect')
    const answered = Promise.withResolvers<string>()
    trigger.once('data', () => void ask(forwarder, method).then(answered.resolve))
    await ask(forwarder, 'GET')
    await new Promise((resolve) => setTimeout(resolve, 20))

    // Both arrive before the event loop looks: it hears of the request first.
    links[0]?.write('x')
    upstreams[0]?.write(stolen)

    expect(await answered.promise).toMatch(expected)
    expect(await answered.promise).not.toContain('stolen')
    trigger.destroy()
    forwarder.close()
    link.close()
    upstream.close()
  },
)
