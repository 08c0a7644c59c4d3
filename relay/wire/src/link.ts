import type { Socket } from 'node:net'

import { linkBufferBytes } from './limits.ts'
import type { SessionEvents, SessionIo, SessionWindows } from './session-io.ts'
import { Session } from './session.ts'
import { ProtocolViolation } from './violation.ts'
import {
  MessageDecoder,
  closeMessage,
  messageHeadroomBytes,
  pongMessage,
  writeMessageHeader,
} from './websocket.ts'

export interface SocketLink {
  readonly session: Session
  /** Payload and message bytes so far. */
  bytesRead(): number
  bytesWritten(): number
}

/** How long a closed link may take to send what is left. */
const lingerMs = 2_000

/** Runs one end of a session over a socket behind a finished WebSocket handshake. `first`: bytes that came with it. */
export function openSocketLink(
  role: 'relay' | 'agent',
  socket: Socket,
  first: Buffer,
  events: SessionEvents,
  windows?: SessionWindows,
): SocketLink {
  const masked = role === 'agent'
  const io: SessionIo = {
    now: () => performance.now(),
    setTimer(callback, delayMs) {
      const timer = setTimeout(callback, delayMs)
      return () => clearTimeout(timer)
    },
    defer: setImmediate,
    send: (parts, payloadBytes) => sendMessage(socket, parts, payloadBytes, masked),
    close(code, abrupt) {
      if (abrupt) socket.destroy()
      else {
        socket.end(closeMessage(code, masked))
        setTimeout(() => socket.destroy(), lingerMs).unref()
      }
    },
  }
  const session = new Session(role, io, events, windows)
  const decoder = new MessageDecoder(
    {
      onBytes: (chunk, start, end) => session.receive(chunk, start, end),
      onPing: (body) => socket.write(pongMessage(body, masked)),
      onClose: (code) => session.close(code === 1005 ? 1000 : code, 'closed by the peer'),
    },
    !masked,
  )
  const read = (chunk: Buffer): void => {
    try {
      decoder.receive(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error
      session.close(error.closeCode, error.message)
    }
  }
  // Read with the rest, once the caller has its session in hand.
  if (first.length > 0) socket.unshift(first)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 15_000)
  socket.on('data', read)
  socket.resume()
  socket.on('drain', () => session.linkDrained())
  socket.on('error', (error) => session.close(undefined, error.message, true))
  socket.on('end', () => session.close(undefined, 'the link was closed', true))
  socket.on('close', () => session.close(undefined, 'the link was closed', true))
  return {
    session,
    bytesRead: () => socket.bytesRead,
    bytesWritten: () => socket.bytesWritten,
  }
}

function sendMessage(
  socket: Socket,
  parts: Buffer[],
  payloadBytes: number,
  masked: boolean,
): boolean {
  const [first, ...rest] = parts
  if (!first) return true
  const start = writeMessageHeader(first, messageHeadroomBytes, payloadBytes, masked)
  if (rest.length === 0) socket.write(first.subarray(start))
  else {
    socket.cork()
    socket.write(first.subarray(start))
    for (const part of rest) socket.write(part)
    socket.uncork()
  }
  return socket.writableLength <= linkBufferBytes
}
