import { connect } from 'node:net'

import type { TargetGuard } from './target-guard.ts'
import type { Upstream } from './target.ts'

const probeMsMax = 1_000

/** Whether connections to the service are refused, as they are where nobody listens. Anything else is for requests to find out. */
export function isRefused({ host, port }: Upstream, guard: TargetGuard): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port, lookup: guard.lookup, timeout: probeMsMax })
  const end = (refused: boolean): void => {
    socket.destroy()
    resolve(refused)
  }
  socket.once('connect', () => end(false))
  socket.once('timeout', () => end(false))
  socket.once('error', (error: NodeJS.ErrnoException | AggregateError) => {
    // Of a name with several addresses all were tried.
    const errors: NodeJS.ErrnoException[] = 'errors' in error ? error.errors : [error]
    end(errors.every(({ code }) => code === 'ECONNREFUSED'))
  })
  return promise
}
