import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'

import { expect, test } from 'vitest'

import { frameType, writeFrameHeader } from './frame.ts'
import { linkBufferBytes } from './limits.ts'
import { openSocketLink } from './link.ts'
import { DirectSockets, type DirectSocket } from './socket/direct-socket.ts'

/** A masked WebSocket message, as agents send them. */
function messageOf(opcode: number, payload: Buffer): Buffer {
  const size = Buffer.alloc(2)
  size.writeUInt16BE(payload.length)
  const isLong = payload.length > 125
  const start = [0x80 | opcode, 0x80 | (isLong ? 126 : payload.length), ...(isLong ? size : [])]
  return Buffer.concat([Buffer.from([...start, 0, 0, 0, 0]), payload])
}

function pingFrames(count: number): Buffer {
  const frame = Buffer.alloc(16)
  writeFrameHeader(frame, 0, frameType.ping, 8, 0)
  return Buffer.concat(Array.from({ length: count }, () => frame))
}

/** Each asks for an answer of about its own size. */
const floods = {
  frames: messageOf(2, pingFrames(4_000)),
  pings: Buffer.concat(Array.from({ length: 500 }, () => messageOf(9, Buffer.alloc(125)))),
}

/** A relay's end of a link, and a peer that reads nothing. */
async function openLink() {
  const sockets = new DirectSockets()
  const reason = Promise.withResolvers<string>()
  const accepted = Promise.withResolvers<DirectSocket>()
  const server = createServer((socket) => {
    const direct = sockets.open(socket)
    if (!direct) throw new Error('this Node has no short way')
    openSocketLink(
      'relay',
      direct,
      Buffer.alloc(0),
      { onClose: (why) => reason.resolve(why) },
      { sockets },
    )
    accepted.resolve(direct)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const peer = connect({ port, host: '127.0.0.1' })
  peer.on('error', () => undefined).pause()
  return {
    direct: await accepted.promise,
    reason: reason.promise,
    /** Sends it so many times, as fast as it is read. */
    async flood(bytes: Buffer, times: number): Promise<void> {
      const gone = reason.promise.then(() => 'gone')
      for (let round = 0; round < times; round += 1) {
        const taken = peer.write(bytes)
        if (!taken && (await Promise.race([once(peer, 'drain'), gone])) === 'gone') return
      }
    },
    async [Symbol.asyncDispose]() {
      peer.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('a peer that asks on and reads nothing is cut off before its answers fill memory', async () => {
  await using link = await openLink()
  await link.flood(floods.frames, 2_000)

  expect(await link.reason).toBe('the peer does not read')
}, 60_000)

test('pings of a peer that does not read are not answered for ever', async () => {
  await using link = await openLink()
  await link.flood(floods.pings, 500)

  expect(link.direct.waitingBytes).toBeLessThan(2 * linkBufferBytes)
}, 60_000)
