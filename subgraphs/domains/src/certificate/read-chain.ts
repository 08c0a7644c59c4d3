import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'

import { printable } from '@sluice/kit/printable'
import { SluiceError } from '@sluice/schema/errors'

const chainCharactersMax = 65_536
const keyCharactersMax = 16_384
const chainCertificatesMax = 10
const rsaBitsMin = 2_048
const namesMax = 100

/** A chain and its key that can be served for a domain, in the form in which they are kept. */
export interface CheckedCertificate {
  readonly chain: string
  readonly privateKey: string
  readonly fingerprint: string
  readonly serialNumber: string
  readonly issuer: string
  readonly names: string[]
  readonly notBefore: Date
  readonly notAfter: Date
}

/** What somebody gave for a domain. Both are PEM. */
export interface GivenCertificate {
  readonly domain: string
  readonly chain: string
  readonly privateKey: string
}

/** Checks what somebody gave as a browser and a server would, and throws SLUICE_CERTIFICATE_INVALID with the first reason against it. */
export function readChain(
  { domain, chain, privateKey }: GivenCertificate,
  now: Date,
): CheckedCertificate {
  const refuse = (reason: string): never => {
    throw new SluiceError('SLUICE_CERTIFICATE_INVALID', { domain, reason })
  }
  if (chain.length > chainCharactersMax)
    refuse(`the chain has more than ${chainCharactersMax} characters`)
  if (privateKey.length > keyCharactersMax)
    refuse(`the key has more than ${keyCharactersMax} characters`)
  if (chain.includes('PRIVATE KEY-----'))
    refuse('the chain holds a private key, which belongs in its own field')

  const certificates = certificatesOf(chain, refuse)
  const [own] = certificates
  if (!own) return refuse('the chain holds no certificate in PEM')
  const key = keyOf(privateKey, refuse)
  if (!own.checkPrivateKey(key)) {
    const other = certificates.findIndex((one) => one.checkPrivateKey(key))
    refuse(
      other > 0
        ? `the key belongs to certificate ${other + 1} of the chain, which must come first`
        : 'the private key is not the one of the first certificate',
    )
  }
  if (own.checkHost(domain, { subject: 'never' }) === undefined) {
    refuse(`it is for ${namesOf(own).slice(0, 5).join(', ') || 'no names'}`)
  }
  if (own.validToDate <= now) refuse(`it expired on ${own.validToDate.toISOString()}`)
  if (own.validFromDate > now) refuse(`it is not valid before ${own.validFromDate.toISOString()}`)
  for (const [index, one] of certificates.entries()) {
    const signer = certificates[index + 1]
    if (signer && !(one.checkIssued(signer) && one.verify(signer.publicKey))) {
      refuse(`certificate ${index + 2} of the chain has not signed the one before it`)
    }
  }

  const kept = {
    chain: certificates.map(String).join(''),
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  try {
    createSecureContext({ cert: kept.chain, key: kept.privateKey })
  } catch (error) {
    // Old hashes and short keys: OpenSSL would refuse each handshake.
    refuse(`it cannot be served (${error instanceof Error ? printable(error.message, 100) : ''})`)
  }
  return {
    ...kept,
    fingerprint: own.fingerprint256.replaceAll(':', '').toLowerCase(),
    serialNumber: own.serialNumber.slice(0, 64),
    issuer: issuerOf(own),
    names: namesOf(own).slice(0, namesMax),
    notBefore: own.validFromDate,
    notAfter: own.validToDate,
  }
}

function certificatesOf(chain: string, refuse: (reason: string) => never): X509Certificate[] {
  const blocks =
    chain.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length > chainCertificatesMax) {
    refuse(`the chain has more than ${chainCertificatesMax} certificates`)
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch {
      return refuse(`certificate ${index + 1} of the chain cannot be read`)
    }
  })
}

/** RSA and the curves of P-256 and above: what browsers take. */
function keyOf(pem: string, refuse: (reason: string) => never): KeyObject {
  if (pem.includes('ENCRYPTED')) refuse('the private key is locked by a passphrase')
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    return refuse('the private key cannot be read as PEM')
  }
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') {
    if (modulusLength < rsaBitsMin) refuse(`the private key has less than ${rsaBitsMin} bits`)
  } else if (key.asymmetricKeyType !== 'ec') refuse('the private key is neither RSA nor ECDSA')
  return key
}

function namesOf({ subjectAltName }: X509Certificate): string[] {
  return Array.from((subjectAltName ?? '').matchAll(/(?:^|, )DNS:([^",]+)/g), ([, name = '']) =>
    printable(name.toLowerCase(), 253),
  )
}

function issuerOf({ issuer }: X509Certificate): string {
  const part = (name: string) => new RegExp(`^${name}=(.+)$`, 'm').exec(issuer)?.[1]
  return printable(part('O') ?? part('CN') ?? 'unknown', 200)
}
