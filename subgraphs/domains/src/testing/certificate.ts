import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

const oids = {
  ecdsaWithSha256: '06082a8648ce3d040302',
  commonName: '0603550403',
  organization: '060355040a',
  subjectAltName: '0603551d11',
  basicConstraints: '0603551d13',
}

const sequence = 0x30
const set = 0x31

/** One DER value: tag, length, content. */
function der(tag: number, ...parts: (Buffer | string)[]): Buffer {
  const content = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)),
  )
  const { length } = content
  const lengthBytes = length < 128 ? [length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content])
}

function nameOf(commonName: string): Buffer {
  const part = (oid: string, text: string) =>
    der(set, der(sequence, oid, der(0x0c, Buffer.from(text))))
  return der(
    sequence,
    part(oids.organization, 'Sluice Test Authority'),
    part(oids.commonName, commonName),
  )
}

function timeOf(date: Date): Buffer {
  const text = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x17, Buffer.from(text.slice(2)))
}

interface Issuer {
  name: Buffer
  key: KeyObject
}

function issue(options: {
  subject: string
  issuer: Issuer | null
  key: KeyObject
  publicKey: KeyObject
  from: Date
  to: Date
  extension: Buffer
}): string {
  const subject = nameOf(options.subject)
  const algorithm = der(sequence, oids.ecdsaWithSha256)
  const toSign = der(
    sequence,
    der(0xa0, '020102'),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    options.issuer?.name ?? subject,
    der(sequence, timeOf(options.from), timeOf(options.to)),
    subject,
    options.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(sequence, options.extension)),
  )
  const signature = sign('sha256', toSign, options.issuer?.key ?? options.key)
  const certificate = der(sequence, toSign, algorithm, der(0x03, '00', signature))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

const dayMs = 24 * 3_600_000

/** A certificate authority of the test's own. */
export function createAuthority() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const constraint = der(sequence, oids.basicConstraints, '0101ff', der(0x04, '30030101ff'))
  const name = 'Sluice Test Root'
  const certificate = issue({
    subject: name,
    issuer: null,
    key: privateKey,
    publicKey,
    from: new Date(Date.now() - 3_650 * dayMs),
    to: new Date(Date.now() + 3_650 * dayMs),
    extension: constraint,
  })
  return {
    certificate,
    /** A certificate for one domain and its key, as `node:tls` takes them. Days count from now. */
    issue(domain: string, days: { from: number; to: number }) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const names = der(sequence, der(0x82, Buffer.from(domain)))
      const cert = issue({
        subject: domain,
        issuer: { name: nameOf(name), key: privateKey },
        key: pair.privateKey,
        publicKey: pair.publicKey,
        from: new Date(Date.now() + days.from * dayMs),
        to: new Date(Date.now() + days.to * dayMs),
        extension: der(sequence, oids.subjectAltName, der(0x04, names)),
      })
      return { cert, key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) }
    },
  }
}
