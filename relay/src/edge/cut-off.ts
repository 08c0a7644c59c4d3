import { TLSSocket } from 'node:tls'

import type { VisitorSocket } from './visitor-socket.ts'

/** Ends a connection so that the visitor sees that it broke: with a reset, or under TLS without the alert that ends it in order. */
export function cutOff(socket: VisitorSocket): void {
  // A TLS socket has no reset: asked for one, it throws.
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}
