import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

import type { Certificate } from '../tls/certificate.ts'
import { bitString, commonName, der, ecdsaWithSha256, oid, pemOf, sequence, time } from './der.ts'

const dayMs = 86_400_000
const validDays = 365

/** A certificate for an apex and all names under it that no browser trusts: for development. */
export function selfSigned(apex: string, subject = 'Sluice development'): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const body = certificateBody(subject, [apex, `*.${apex}`, 'localhost'], publicKey)
  const signature = sign('sha256', body, privateKey)
  const certificate = sequence(body, ecdsaWithSha256, bitString(signature))
  return {
    cert: pemOf('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** TBSCertificate of RFC 5280 §4.1, in the little DER it needs. */
function certificateBody(subject: string, names: readonly string[], publicKey: KeyObject): Buffer {
  const name = commonName(subject)
  const now = Date.now()
  const subjectAltName = sequence(
    oid(85, 29, 17),
    der(0x04, sequence(...names.map((one) => der(0x82, Buffer.from(one))))),
  )
  const basicConstraints = sequence(oid(85, 29, 19), der(0x04, sequence()))
  return sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    ecdsaWithSha256,
    name,
    sequence(time(now - dayMs), time(now + validDays * dayMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(subjectAltName, basicConstraints)),
  )
}
