import { randomBytes } from 'node:crypto'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

import { HeadScanner, acceptOf, incomplete, malformed } from '@sluice/wire'

import { openThroughProxy, type ProxyOf } from '../proxy.ts'

export interface DialOptions {
  readonly proxyOf?: ProxyOf | undefined
  readonly ca?: string
  readonly allowSelfSigned?: boolean
  readonly agentVersion: string
}

export interface Dialled {
  readonly socket: Socket
  /** Bytes of the relay that came with the end of the handshake. */
  readonly first: Buffer
}

const dialTimeoutMs = 10_000
const answerBytesMax = 16_384

/** Connects to a relay and finishes the WebSocket handshake. Names are resolved anew each time. */
export async function dial(
  edgeUrl: string,
  options: DialOptions,
  signal: AbortSignal,
): Promise<Dialled> {
  const url = new URL(edgeUrl)
  const key = randomBytes(16).toString('base64')
  const socket = await connect(url, options, signal)
  const { promise, resolve, reject } = Promise.withResolvers<Dialled>()
  const fail = (error: Error): void => {
    socket.destroy()
    reject(error)
  }
  const timer = setTimeout(() => fail(new Error(`${url.host} does not answer`)), dialTimeoutMs)
  const onAbort = (): void => fail(new Error('closed'))
  signal.addEventListener('abort', onAbort, { once: true })

  let answer: Buffer = Buffer.alloc(0)
  const onData = (chunk: Buffer): void => {
    answer = Buffer.concat([answer, chunk])
    const scanner = new HeadScanner()
    const end = scanner.scanResponse(answer, 0, answer.length)
    if (end === incomplete && answer.length < answerBytesMax) return
    if (end === malformed || end === incomplete) {
      fail(new Error(`${url.host} does not speak the tunnel protocol`))
    } else if (scanner.status !== 101 || !accepts(scanner, answer, key)) {
      fail(new Error(`${url.host} answered ${scanner.status}`))
    } else {
      socket.off('data', onData).off('error', fail).off('close', onClose)
      resolve({ socket, first: answer.subarray(end) })
    }
  }
  socket.on('data', onData)
  socket.on('error', fail)
  const onClose = (): void => fail(new Error(`${url.host} closed the connection`))
  socket.on('close', onClose)
  socket.write(
    `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nUser-Agent: sluice/${options.agentVersion}\r\n\r\n`,
  )
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  })
}

function accepts(scanner: HeadScanner, answer: Buffer, key: string): boolean {
  for (let index = 0; index < scanner.count; index += 1) {
    if (scanner.nameOf(answer, index).toLowerCase() === 'sec-websocket-accept') {
      return scanner.valueOf(answer, index) === acceptOf(key)
    }
  }
  return false
}

async function connect(url: URL, options: DialOptions, signal: AbortSignal): Promise<Socket> {
  const { ca, allowSelfSigned, proxyOf } = options
  const proxy = proxyOf?.(url) ?? null
  if (proxy) return openThroughProxy(proxy, url, { ca, allowSelfSigned, signal })
  const name = url.hostname.replace(/^\[|\]$/g, '')
  const tls = url.protocol === 'wss:'
  // The system's resolver does not know names under .localhost, which are always this machine.
  const host = /\.localhost\.?$/i.test(name) ? '127.0.0.1' : name
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port)
  if (!tls) return connectTcp({ host, port, noDelay: true })
  return connectTls({
    host,
    port,
    servername: /^[0-9.]+$|:/.test(name) ? '' : name,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: allowSelfSigned !== true,
    ...(ca === undefined ? {} : { ca }),
  })
}
