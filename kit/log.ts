import { fstatSync } from 'node:fs'
import { Socket } from 'node:net'

import { pino, type DestinationStream, type Logger } from 'pino'

export type Log = Logger

/** Names under which a credential could slip into a log line. */
const redacted = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'authtoken',
  'agentToken',
  'accessToken',
  'refreshToken',
].flatMap((name) => [name, `*.${name}`])

/** Lines that wait for a reader; beyond it they are dropped: a lost line never fails a request. */
const unreadBytesMax = 1024 * 1024
const stdoutFd = 1

/** One logger per process, JSON lines. `name` is the part: `relay`, `gateway`, `tunnels`. */
export function createLog(name: string, level = 'info', destination = openStdout()): Log {
  return pino({ name, level, redact: { paths: redacted, censor: '[redacted]' } }, destination)
}

/**
 * Standard output that never waits. Written as usual, a pipe whose reader has stopped would hold the whole process,
 * with every stream in it, and its exit too.
 */
function openStdout(): DestinationStream {
  const stdout = fstatSync(stdoutFd)
  if (!stdout.isFIFO() && !stdout.isSocket()) {
    const file = pino.destination({ dest: stdoutFd, maxLength: unreadBytesMax })
    // A full disk: what does not fit waits for room, and is dropped beyond the limit.
    file.on('error', () => undefined)
    return file
  }

  const pipe = new Socket({ fd: stdoutFd, readable: false, writable: true })
  pipe.unref()
  // The reader has gone: there is nobody left to tell.
  pipe.on('error', () => undefined)
  return {
    write(line) {
      if (pipe.writable && pipe.writableLength <= unreadBytesMax) pipe.write(line)
    },
  }
}

/** A logger that says nothing, for tests. */
export const silentLog: Log = pino({ enabled: false })
