import { Counter, Gauge, type Registry } from 'prom-client'

import type { ServedCertificate } from './certificate.ts'
import { handshakeResults, type HandshakeResult } from './tls-listener.ts'

/** Counts handshakes by result, and says when each certificate from a file expires. Answers what to call for a handshake. */
export function openTlsMetrics(
  registry: Registry,
  certificates: () => ReadonlyMap<string, ServedCertificate>,
): (result: HandshakeResult) => void {
  const registers = [registry]
  const handshakes = new Counter({
    name: 'sluice_relay_tls_handshakes_total',
    help: 'Connections to the TLS port, by how the handshake went',
    labelNames: ['result'],
    registers,
  })
  for (const result of handshakeResults) handshakes.inc({ result }, 0)
  const expiry: Gauge<'certificate'> = new Gauge({
    name: 'sluice_relay_certificate_expiry_timestamp_seconds',
    help: 'When a certificate from a file expires, by the name of the file',
    labelNames: ['certificate'],
    registers,
    collect() {
      expiry.reset()
      for (const [certificate, { expiresAtMs }] of certificates()) {
        expiry.set({ certificate }, expiresAtMs / 1000)
      }
    },
  })
  return (result) => handshakes.inc({ result })
}
