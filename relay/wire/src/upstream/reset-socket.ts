import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Cuts a connection off, so that the far side sees that it broke: an end of TCP alone passes for the end of what TLS carried. */
export function resetSocket(socket: Socket): void {
  // A TLS socket has the method, which throws.
  const tcp = socket instanceof TLSSocket ? tcpOf(socket) : socket
  if (tcp) tcp.resetAndDestroy()
  else socket.destroy()
}

/** The connection below, where it was given to TLS as a socket. Node keeps it in a field without a name in its documentation. */
function tcpOf(socket: TLSSocket): Socket | undefined {
  const below: unknown = Reflect.get(socket, '_parent')
  return below instanceof Socket && !(below instanceof TLSSocket) ? below : undefined
}
