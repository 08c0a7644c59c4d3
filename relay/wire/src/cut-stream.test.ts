import { expect, test } from 'vitest'

import { FrameDecoder, frameFlag, frameType, writeFrameHeader } from './frame.ts'
import { encodeMessage } from './message.ts'
import { Session } from './session.ts'
import type { TunnelStream } from './stream.ts'
import { messageHeadroomBytes } from './websocket.ts'

function frame(typeAndFlags: number, streamId: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(8 + payload.length)
  payload.copy(bytes, writeFrameHeader(bytes, 0, typeAndFlags, payload.length, streamId))
  return bytes
}

const hello = encodeMessage({
  versions: [2],
  features: [],
  agentToken: 'token',
  agentVersion: '1',
  streamWindowBytes: 65_536,
  sessionWindowBytes: 65_536,
})

/** A relay's end of a session that an agent has greeted. */
function openSession(send: (message: Buffer) => void = () => undefined): Session {
  const session: Session = new Session(
    'relay',
    {
      now: () => 0,
      setTimer: () => () => undefined,
      defer: () => undefined,
      send([message]) {
        if (message) send(message)
        return true
      },
      close: () => undefined,
    },
    {
      onHello: (greeting) =>
        session.welcome(greeting, {
          version: 2,
          features: [],
          sessionId: 's',
          relayId: 'r',
          expiresInMs: 1,
          endpointHosts: [],
        }),
      onClose: () => undefined,
    },
  )
  session.receive(frame(frameType.hello, 0, hello))
  return session
}

test.for([
  ['reset', false, ['head']],
  ['ended', true, ['head', 'end']],
] as const)(
  'of a head that ends its stream, an owner that has %s it hears what it should',
  ([, ends, wanted]) => {
    const session = openSession()
    const heard: string[] = []
    const stream: TunnelStream = session.openStream(
      {
        onHead() {
          heard.push('head')
          if (ends) stream.end()
          else stream.reset()
        },
        onData: () => heard.push('data'),
        onEnd: () => heard.push('end'),
        onReset: () => heard.push('reset'),
        onResume: () => undefined,
      },
      Buffer.from('request'),
      0,
      7,
      false,
    )
    const head = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n')
    session.receive(frame(frameType.head | frameFlag.end, stream.id, head))

    expect(heard).toEqual(wanted)
    expect(session.streamCount).toBe(0)
  },
)

test.for(['head', 'data', 'end'] as const)(
  'an exchange that ended in a %s needs no reset',
  (last) => {
    const sent: number[] = []
    const decoder = new FrameDecoder({
      onData: () => undefined,
      onFrame: (type) => sent.push(type),
    })
    const session = openSession((message) => {
      decoder.receive(message, messageHeadroomBytes, message.length)
    })
    const closedWhenTold: boolean[] = []
    const stream: TunnelStream = session.openStream(
      {
        onHead: () => undefined,
        onData: (piece, ended) => {
          stream.drained(piece.length)
          if (ended) finish()
        },
        onEnd: () => finish(),
        onReset: () => undefined,
        onResume: () => undefined,
      },
      Buffer.from('open'),
      0,
      4,
      true,
    )
    // As the owner of an exchange does, which resets what is still open.
    const finish = (): void => {
      closedWhenTold.push(stream.closed)
      stream.reset()
    }
    const ended = (type: 'head' | 'data' | 'end'): number =>
      frameType[type] | (type === last ? frameFlag.end : 0)

    session.receive(frame(ended('head'), stream.id, Buffer.from('HTTP/1.1 200 OK\r\n\r\n')))
    if (last !== 'head') session.receive(frame(ended('data'), stream.id, Buffer.from('body')))
    if (last === 'end') session.receive(frame(frameType.end, stream.id, Buffer.alloc(0)))
    session.close()

    expect(closedWhenTold).toEqual([true])
    expect(sent).not.toContain(frameType.reset)
  },
)
