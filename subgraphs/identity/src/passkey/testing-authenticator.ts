import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto'

import { isoCBOR } from '@simplewebauthn/server/helpers'

/** What an authenticator and its browser do differently, when they are not what they should be. */
interface Change {
  readonly origin?: string
  readonly rpID?: string
  readonly isUserVerified?: boolean
  readonly challenge?: string
  readonly userHandle?: string
  readonly type?: string
}

const present = 0x01
const userVerified = 0x04
const attested = 0x40

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest()

/** An authenticator with one passkey (ES256), and the browser in front of it. */
export function createAuthenticator(origin = 'http://localhost:4000') {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const id = randomBytes(32).toString('base64url')
  let userHandle = ''

  const clientData = (type: string, challenge: string, change: Change) =>
    Buffer.from(
      JSON.stringify({
        type: change.type ?? type,
        challenge: change.challenge ?? challenge,
        origin: change.origin ?? origin,
        crossOrigin: false,
      }),
    )
  const authenticatorData = (flags: number, count: number, change: Change) => {
    const verified = change.isUserVerified === false ? 0 : userVerified
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(count)
    const rpID = change.rpID ?? new URL(origin).hostname
    return Buffer.concat([sha256(rpID), Buffer.from([flags | verified]), counter])
  }

  return {
    id,
    /** Rises with each use. */
    count: 0,
    create(optionsText: string, change: Change = {}): string {
      const { challenge, user } = JSON.parse(optionsText)
      userHandle = user.id
      const key = new Map<number, number | Uint8Array>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Uint8Array.from(Buffer.from(x, 'base64url'))],
        [-3, Uint8Array.from(Buffer.from(y, 'base64url'))],
      ])
      const rawId = Buffer.from(id, 'base64url')
      const authData = Buffer.concat([
        authenticatorData(present | attested, this.count, change),
        Buffer.alloc(16),
        Buffer.from([0, rawId.length]),
        rawId,
        isoCBOR.encode(key),
      ])
      const attestation = new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', Uint8Array.from(authData)],
      ])
      return JSON.stringify({
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: clientData('webauthn.create', challenge, change).toString('base64url'),
          attestationObject: Buffer.from(isoCBOR.encode(attestation as never)).toString(
            'base64url',
          ),
          transports: ['internal', 'hybrid'],
        },
      })
    },
    use(optionsText: string, change: Change = {}): string {
      const { challenge } = JSON.parse(optionsText)
      this.count += 1
      const authData = authenticatorData(present, this.count, change)
      const client = clientData('webauthn.get', challenge, change)
      const signature = createSign('sha256')
        .update(Buffer.concat([authData, sha256(client)]))
        .sign(privateKey)
      return JSON.stringify({
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: client.toString('base64url'),
          authenticatorData: authData.toString('base64url'),
          signature: signature.toString('base64url'),
          userHandle: change.userHandle ?? userHandle,
        },
      })
    },
  }
}
