import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

import type { Certificate } from '../tls/certificate.ts'

const dayMs = 86_400_000
const validDays = 365

/** A certificate for an apex and all names under it that no browser trusts: for development. */
export function selfSigned(apex: string): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const body = certificateBody([apex, `*.${apex}`, 'localhost'], publicKey)
  const signature = sign('sha256', body, privateKey)
  const certificate = sequence(body, ecdsaWithSha256, bitString(signature))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** TBSCertificate of RFC 5280 §4.1, in the little DER it needs. */
function certificateBody(names: readonly string[], publicKey: KeyObject): Buffer {
  const commonName = sequence(
    set(sequence(oid(85, 4, 3), der(0x0c, Buffer.from('Sluice development')))),
  )
  const now = Date.now()
  const subjectAltName = sequence(
    oid(85, 29, 17),
    der(0x04, sequence(...names.map((name) => der(0x82, Buffer.from(name))))),
  )
  const basicConstraints = sequence(oid(85, 29, 19), der(0x04, sequence()))
  return sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    ecdsaWithSha256,
    commonName,
    sequence(time(now - dayMs), time(now + validDays * dayMs)),
    commonName,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(subjectAltName, basicConstraints)),
  )
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts))
const set = (...parts: Buffer[]): Buffer => der(0x31, Buffer.concat(parts))
const oid = (...bytes: number[]): Buffer => der(0x06, Buffer.from(bytes))
const bitString = (content: Buffer): Buffer => der(0x03, Buffer.concat([Buffer.from([0]), content]))

/** 1.2.840.10045.4.3.2 */
const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))

function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x18, Buffer.from(text))
}
