import { X509Certificate, createPrivateKey } from 'node:crypto'
import { createSecureContext } from 'node:tls'

/** A chain, the server's own certificate first, and its private key, as PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A certificate that was looked at: it can be served as it is. */
export interface ServedCertificate extends Certificate {
  /** DNS names in lower case, some with a star as their first label. */
  readonly names: readonly string[]
  /** SHA-256 of the server's own certificate. */
  readonly fingerprint: string
  readonly expiresAtMs: number
}

/** Throws a sentence when key and chain cannot be served together. */
export function readCertificate({ cert, key }: Certificate): ServedCertificate {
  const own = new X509Certificate(cert)
  if (!own.checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the private key is not the one of the certificate')
  }
  // Parses the chain as a handshake would: what OpenSSL refuses must not be found out by visitors.
  createSecureContext({ cert, key })
  return {
    cert,
    key,
    names: namesOf(own),
    fingerprint: own.fingerprint256,
    expiresAtMs: own.validToDate.getTime(),
  }
}

function namesOf({ subjectAltName }: X509Certificate): string[] {
  return Array.from((subjectAltName ?? '').matchAll(/(?:^|, )DNS:([^",]+)/g), ([, name = '']) =>
    name.toLowerCase(),
  )
}

/** The certificate for a name: its own before one with a star (RFC 6125 §6.4.3: a star stands for one label). */
export function certificateFor(
  byName: ReadonlyMap<string, ServedCertificate>,
  serverName: string,
): ServedCertificate | undefined {
  const dot = serverName.indexOf('.')
  return byName.get(serverName) ?? (dot > 0 ? byName.get(`*${serverName.slice(dot)}`) : undefined)
}
