import { SluiceError } from '@sluice/schema/errors'

import { createApi, type Api } from '../api.ts'
import type { Settings } from '../config.ts'
import type { Output } from '../output.ts'

/** What the process lends to a command. Only `main.ts` fills it from the real process. */
export interface Io {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly env: NodeJS.ProcessEnv
  /** Aborted by the first Ctrl-C or SIGTERM. The second one ends the process at once. */
  readonly signal: AbortSignal
  /** Which server the command works with: a failure links to its pages. */
  useServer(server: string): void
  /** The wish to stop, in an orderly way. */
  quit(): void
  /** What Ctrl-C does, for a terminal that hands it over as a key. */
  interrupt(): void
  /** Runs when the process ends in whatever way, synchronously. Returns what takes it back. */
  onExit(restore: () => void): () => void
}

/** All that a command has: its settings, its outputs, and the process around it. */
export interface CommandContext {
  readonly settings: Settings
  readonly output: Output
  readonly io: Io
}

/** The graph as whoever is logged in. */
export function apiOf({ settings, io }: CommandContext): Api {
  const { server, ca, proxyOf } = settings
  return createApi({ server, authtoken: authtokenOf(settings), ca, proxyOf, signal: io.signal })
}

export function authtokenOf({ authtoken }: Settings): string {
  if (authtoken === null) throw new SluiceError('SLUICE_NOT_LOGGED_IN')
  return authtoken
}
