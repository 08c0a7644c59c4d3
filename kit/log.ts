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

/** One logger per process, JSON lines. `name` is the part: `relay`, `gateway`, `tunnels`. */
export function createLog(name: string, level = 'info', destination?: DestinationStream): Log {
  const options = { name, level, redact: { paths: redacted, censor: '[redacted]' } }
  return destination ? pino(options, destination) : pino(options)
}

/** A logger that says nothing, for tests. */
export const silentLog: Log = pino({ enabled: false })
