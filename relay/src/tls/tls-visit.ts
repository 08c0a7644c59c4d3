import type { TLSSocket } from 'node:tls'

import type { EdgePolicy } from '@sluice/schema/claims'

/** A certificate that a visitor has shown, and that the tunnel's authority has signed. */
export interface VisitorCertificate {
  /** The authority it was checked against: PEM, from the policy of then. */
  readonly visitorCa: string
  /** `CN=…,O=…` as OpenSSL writes it, in printable ASCII: other bytes as `%41`. */
  readonly subject: string
  /** SHA-256 of the certificate, in lower-case hex. */
  readonly fingerprint: string
}

/** Who a visitor is, as another relay has seen it. */
export interface VisitorAddress {
  readonly visitorIp: string
  readonly visitorPort: number
}

/** What the handshake of a visitor's connection has told. */
export interface TlsVisit {
  /** Set where another relay has brought the visitor's bytes. */
  readonly visitorIp?: string | undefined
  /** From the ClientHello of this very connection, in lower case: a resumed session says nothing about it. */
  readonly serverName: string | undefined
  readonly certificate: VisitorCertificate | undefined
}

/** Whether a visitor has shown the certificate that a policy of now asks for, if it asks for one. */
export function showsCertificate({ visitorCa }: EdgePolicy, visit: TlsVisit | undefined): boolean {
  return visitorCa === undefined || visit?.certificate?.visitorCa === visitorCa
}

/** The certificate that a visitor proved to have, if the handshake asked for one and it passed. */
export function visitorCertificateOf(
  socket: TLSSocket,
  visitorCa: string | undefined,
): VisitorCertificate | undefined {
  if (visitorCa === undefined || !socket.authorized) return undefined
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return undefined
  return {
    visitorCa,
    subject: headerText(certificate.subject.replaceAll('\n', ',')),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  }
}

const subjectCharactersMax = 1_024

/** A subject is text of whoever asked for the certificate: nothing in it may end a header line. */
function headerText(text: string): string {
  return Array.from(Buffer.from(text), (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  )
    .join('')
    .slice(0, subjectCharactersMax)
    .trim()
}
