import type { Socket } from 'node:net'

import { resetSocket } from '@sluice/wire'

/** Lets two sockets speak to each other. Each half ends by itself; what is cut off on one side is cut off on the other. */
export function joinSockets(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    // A reset, or an end in the middle, is no clean end for whoever reads the other side.
    from.on('error', () => resetSocket(to))
    from.on('close', () => {
      if (!from.readableEnded) resetSocket(to)
    })
    from.pipe(to)
  }
}
