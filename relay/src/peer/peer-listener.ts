import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

import { PrefaceReader, prefaceBytesMax, type Preface } from './preface.ts'

const prefaceTimeoutMs = 5_000
const newline = 0x0a

export interface PeerListenerOptions {
  readonly relayId: string
  readonly host: string
  readonly port: number
  readonly secret: string
  /** PEM of certificate and key. Undefined: without TLS. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined
  /** Connections at once, those without a preface included. */
  readonly connectionsMax: number
  /** Another relay's connection, its preface read. What followed the preface is still to be read. */
  readonly accept: (socket: Socket, preface: Preface) => void
  readonly onRefused: () => void
  /** Hears of prefaces that are signed by no relay of ours, and where they came from. */
  readonly onForged: (ip: string) => void
}

export interface PeerListener {
  readonly port: number
  close(): Promise<void>
}

/** Where other relays bring visitors' requests. Nothing is believed before the preface is. */
export async function openPeerListener(options: PeerListenerOptions): Promise<PeerListener> {
  const reader = new PrefaceReader(options.secret, options.relayId)
  const sockets = new Set<Socket>()
  const onSocket = (socket: Socket): void => {
    if (sockets.size >= options.connectionsMax) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    readPreface(socket, reader, options)
  }
  const server = options.certificate
    ? createTlsServer(
        { ...options.certificate, allowHalfOpen: true, minVersion: 'TLSv1.3' },
        onSocket,
      )
    : createServer({ allowHalfOpen: true }, onSocket)
  server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
  const port = await listen(server, options.port, options.host)
  return {
    port,
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function readPreface(socket: Socket, reader: PrefaceReader, options: PeerListenerOptions): void {
  let line: Buffer = Buffer.alloc(0)
  const refuse = (): void => {
    leave()
    options.onRefused()
    socket.destroy()
  }
  const onData = (chunk: Buffer): void => {
    line = line.length === 0 ? chunk : Buffer.concat([line, chunk])
    const end = line.subarray(0, prefaceBytesMax).indexOf(newline)
    if (end < 0 && line.length < prefaceBytesMax) return
    const preface = end < 1 ? undefined : reader.read(line.toString('latin1', 0, end - 1))
    if (!preface) {
      options.onForged(socket.remoteAddress ?? '')
      refuse()
      return
    }
    leave()
    socket.pause()
    if (end + 1 < line.length) socket.unshift(line.subarray(end + 1))
    options.accept(socket, preface)
    socket.resume()
  }
  const onGone = (): void => {
    leave()
    socket.destroy()
  }
  const leave = (): void => {
    clearTimeout(timer)
    socket.off('data', onData).off('error', onGone).off('end', onGone)
  }
  const timer = setTimeout(refuse, prefaceTimeoutMs)
  socket.on('data', onData).on('error', onGone).on('end', onGone)
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: 1024 }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}
