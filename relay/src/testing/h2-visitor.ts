import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  type OutgoingHttpHeaders,
} from 'node:http2'

import { host, type World } from './world.ts'

export interface H2Answer {
  readonly status: number
  readonly headers: Record<string, string | readonly string[] | undefined>
  readonly interim: readonly Record<string, unknown>[]
  readonly trailers: Record<string, string | readonly string[] | undefined> | undefined
  readonly body: Buffer
  /** The code of RST_STREAM; 0 for none. */
  readonly reset: number
  readonly endedInHead: boolean
}

/** A visitor's HTTP/2 connection to a world's relay, by the tunnel's name. */
export function h2Visitor(
  world: World,
  ca: string,
  { servername = host, ...settings }: ClientSessionOptions & { servername?: string } = {},
): ClientHttp2Session {
  const session = connect(`https://${servername}:${world.relay.httpsPort}`, {
    ...settings,
    ca,
    servername,
    lookup: (_name: string, _options: object, done: (...found: unknown[]) => void) =>
      done(null, [{ address: '127.0.0.1', family: 4 }]),
  } as ClientSessionOptions)
  // The tests look at streams and at the close.
  session.on('error', () => undefined)
  world.use(() => session.destroy())
  return session
}

/** Sends one request and collects everything that comes back for it. */
export async function h2Get(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  send?: (stream: ClientHttp2Stream) => void,
): Promise<H2Answer> {
  const stream = session.request(
    { ':authority': host, ...headers },
    { endStream: send === undefined, waitForTrailers: false },
  )
  send?.(stream)
  return answerOf(stream)
}

export function answerOf(stream: ClientHttp2Stream): Promise<H2Answer> {
  const interim: Record<string, unknown>[] = []
  const pieces: Buffer[] = []
  let headers: H2Answer['headers'] = {}
  let trailers: H2Answer['trailers']
  let endedInHead = false
  stream.on('headers', (found) => interim.push({ ...found }))
  stream.on('response', (found, flags) => {
    headers = { ...found }
    endedInHead = (flags & 1) === 1
  })
  stream.on('trailers', (found) => {
    trailers = { ...found } as H2Answer['trailers']
  })
  stream.on('data', (piece: Buffer) => pieces.push(piece))
  stream.on('error', () => undefined)
  return new Promise((resolve) => {
    stream.on('close', () =>
      resolve({
        status: Number(headers[':status'] ?? 0),
        headers,
        interim,
        trailers,
        body: Buffer.concat(pieces),
        reset: stream.rstCode ?? 0,
        endedInHead,
      }),
    )
  })
}
