import type { Socket } from 'node:net'

import { linkBacklogBytesMax, linkBufferBytes } from './limits.ts'
import type { SessionEvents, SessionIo, SessionWindows } from './session-io.ts'
import { Session } from './session.ts'
import { DirectSocket, DirectSockets } from './socket/direct-socket.ts'
import type { Slab } from './socket/slab.ts'
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

export interface SocketLinkOptions {
  readonly windows?: SessionWindows | undefined
  /** Shared with the other sockets of the process. */
  readonly sockets?: DirectSockets | undefined
}

/** How long a closed link may take to send what is left. */
const lingerMs = 2_000

/** Runs one end of a session over a socket behind a finished WebSocket handshake. `first`: bytes that came with it. */
export function openSocketLink(
  role: 'relay' | 'agent',
  link: Socket | DirectSocket,
  first: Buffer,
  events: SessionEvents,
  { windows, sockets = new DirectSockets() }: SocketLinkOptions = {},
): SocketLink {
  const masked = role === 'agent'
  const direct = link instanceof DirectSocket ? link : sockets.open(link)
  const socket = link instanceof DirectSocket ? link.socket : link
  const waitingBytes = (): number => direct?.waitingBytes ?? socket.writableLength
  const io: SessionIo = {
    slabs: sockets.slabs,
    chunks: sockets.chunks,
    now: () => performance.now(),
    setTimer(callback, delayMs) {
      const timer = setTimeout(callback, delayMs)
      return () => clearTimeout(timer)
    },
    defer: setImmediate,
    send([message], payloadBytes, slab) {
      if (!message) return true
      if (waitingBytes() > linkBacklogBytesMax) {
        socket.destroy(new Error('the peer does not read'))
        return false
      }
      const start = writeMessageHeader(message, messageHeadroomBytes, payloadBytes, masked)
      const bytes = message.subarray(start)
      if (direct) direct.send(bytes, slab)
      else sendKept(socket, bytes, slab)
      return waitingBytes() <= linkBufferBytes
    },
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
      onPing(body) {
        // RFC 6455 §5.5.3: not each ping has to be answered, and whoever does not read has no use for it.
        if (waitingBytes() > linkBufferBytes) return
        const pong = pongMessage(body, masked)
        if (direct) direct.send(pong)
        else socket.write(pong)
      },
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
  const bytes = direct ?? socket
  // Read with the rest, once the caller has its session in hand.
  if (first.length > 0) bytes.unshift(first)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 15_000)
  bytes.on('data', read)
  bytes.resume()
  bytes.on('drain', () => session.linkDrained())
  socket.on('error', (error) => session.close(undefined, error.message, true))
  socket.on('end', () => session.close(undefined, 'the link was closed', true))
  socket.on('close', () => session.close(undefined, 'the link was closed', true))
  return {
    session,
    bytesRead: () => socket.bytesRead,
    bytesWritten: () => socket.bytesWritten,
  }
}

/** Over a socket that keeps what it is given until it has sent it. */
function sendKept(socket: Socket, bytes: Buffer, slab: Slab | undefined): void {
  slab?.hold()
  socket.write(bytes, () => slab?.release())
}
