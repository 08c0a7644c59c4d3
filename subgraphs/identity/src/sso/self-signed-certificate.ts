import { generateKeyPair, randomBytes, sign, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

const dayMs = 24 * 60 * 60_000
const rsaBits = 2048

export interface CertifiedKey {
  /** PKCS 8 as PEM. */
  readonly privateKey: string
  /** Self-signed, as PEM. */
  readonly certificate: string
}

/** An RSA key with a certificate that it has signed itself (RFC 5280 §4.1, in the little DER it needs). */
export async function newCertifiedKey(name: string, validDays: number): Promise<CertifiedKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: rsaBits,
  })
  const lines = selfSigned(name, validDays, privateKey, publicKey)
    .toString('base64')
    .match(/.{1,64}/g)
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: `-----BEGIN CERTIFICATE-----\n${lines?.join('\n')}\n-----END CERTIFICATE-----\n`,
  }
}

const sequence = 0x30
const commonName = Buffer.from('0603550403', 'hex')
const sha256WithRsa = Buffer.from('300d06092a864886f70d01010b0500', 'hex')

function selfSigned(text: string, days: number, privateKey: KeyObject, publicKey: KeyObject) {
  const attribute = der(sequence, commonName, der(0x0c, Buffer.from(text)))
  const name = der(sequence, der(0x31, attribute))
  const time = (ms: number) => {
    const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
    return der(0x18, Buffer.from(digits))
  }
  const now = Date.now()
  const body = der(
    sequence,
    der(0xa0, Buffer.from('020102', 'hex')),
    // A leading one keeps the number positive.
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    sha256WithRsa,
    name,
    der(sequence, time(now - dayMs), time(now + days * dayMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('sha256', body, privateKey)
  return der(sequence, body, sha256WithRsa, der(0x03, Buffer.from([0]), signature))
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
