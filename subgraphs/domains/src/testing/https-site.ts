import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'

/** A real TLS server on loopback that shows one certificate and then waits. */
export async function openHttpsSite(credentials: { cert: string; key: string | Buffer }) {
  const server = createServer(credentials, (socket) => {
    socket.on('error', () => undefined) // The probe leaves after the handshake.
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
