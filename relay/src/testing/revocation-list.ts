import { X509Certificate, createPrivateKey, sign } from 'node:crypto'

import { bitString, commonName, der, ecdsaWithSha256, pemOf, sequence, time } from '../edge/der.ts'

const hourMs = 3_600_000

interface SelfSigned {
  readonly cert: string
  readonly key: string
}

/** A CRL (RFC 5280 §5.1) of a certificate that is its own authority. */
export function revocationListOf(authority: SelfSigned, revoked: readonly SelfSigned[]): string {
  const now = Date.now()
  const entries = revoked.map(({ cert }) => {
    const serial = Buffer.from(new X509Certificate(cert).serialNumber, 'hex')
    return sequence(der(0x02, serial), time(now - hourMs))
  })
  const list = sequence(
    ecdsaWithSha256,
    commonName(new X509Certificate(authority.cert).subject.replace('CN=', '')),
    time(now - hourMs),
    time(now + hourMs),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
  )
  const signature = sign('sha256', list, createPrivateKey(authority.key))
  return pemOf('X509 CRL', sequence(list, ecdsaWithSha256, bitString(signature)))
}
