import { createSocket } from 'node:dgram'
import { connect } from 'node:net'

import { clientHello } from './client-hello.ts'
import { delay } from './delay.ts'
import { networkReasonOf } from './http-request.ts'
import { lookup } from './localhost.ts'

const totalMs = 4_000
const attemptMs = 2_000
const retryMs = 250

/**
 * Says the nonce at a tunnel's public address until the agent says it back. Answers why it did not; that may be this
 * machine's network alone, which lets out fewer ports than visitors have.
 */
export async function verifyPort(
  address: string,
  nonce: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(address)
  const host = hostname.replaceAll(/^\[|\]$/g, '')
  const deadline = Date.now() + totalMs
  let reason = 'there was no time'
  while (Date.now() < deadline) {
    signal.throwIfAborted()
    try {
      if (protocol === 'udp:') await sayDatagram(host, Number(port), nonce)
      else {
        const bytes = protocol === 'tls:' ? clientHello(hostname, nonce) : Buffer.from(nonce)
        await sayBytes(host, Number(port), bytes, nonce)
      }
      return undefined
    } catch (error) {
      reason = networkReasonOf(error)
    }
    await delay(retryMs, signal)
  }
  return reason
}

function sayBytes(host: string, port: number, bytes: Buffer, nonce: string): Promise<void> {
  const socket = connect({ host, port, lookup })
  let heard = ''
  return new Promise<void>((resolve, reject) => {
    socket.setTimeout(attemptMs, () => reject(new Error('nothing came back')))
    socket.once('connect', () => socket.write(bytes))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1')
      if (heard === nonce) resolve()
      else if (!nonce.startsWith(heard)) reject(new Error('another service answered'))
    })
  }).finally(() => socket.destroy())
}

function sayDatagram(host: string, port: number, nonce: string): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  let timer: NodeJS.Timeout | undefined
  return new Promise<void>((resolve, reject) => {
    timer = setTimeout(() => reject(new Error('nothing came back')), attemptMs)
    socket.once('error', reject)
    socket.on('message', (bytes: Buffer) => {
      if (bytes.toString('latin1') === nonce) resolve()
    })
    socket.send(nonce, port, host, (error) => {
      if (error) reject(error)
    })
  }).finally(() => {
    clearTimeout(timer)
    socket.close()
  })
}
