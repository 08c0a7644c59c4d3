import { UniqueConstraintViolationException } from '@mikro-orm/core'
import {
  generateRegistrationOptions,
  verifyRegistrationResponse,
  type RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { forkSystem } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { assertProved } from '../account/assert-proved.ts'
import { recordUserAct } from '../audit/user-act.ts'
import type { Context } from '../context.ts'
import { recordMail } from '../mail/mail.ts'
import { personOf } from '../organization/organization.ts'
import { nameOf } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { lockUser } from '../user/user.ts'
import { challengeLifeMs, newChallenge, parseResponse, takesChallenge } from './challenge.ts'
import { Passkey } from './passkey.entity.ts'
import { relyingPartyOf } from './relying-party.ts'

const passkeysMax = 20
export const nameCharactersMax = 60
const transportsMax = 8
/** Ed25519, ECDSA with P-256, RSA: what authenticators have. Left alone, the library asks Node for experimental ones. */
const algorithms = [-8, -7, -257]
const transportForm = /^[a-z-]{1,32}$/

/** Answers what `navigator.credentials.create` needs, as JSON. */
export async function startPasskey(context: Context): Promise<string> {
  await assertProved(context)
  const em = forkSystem(context.orm)
  const user = await em.findOneOrFail(User, { id: personOf(context) })
  const known = await em.find(Passkey, { userId: user.id })
  if (known.length >= passkeysMax)
    throw new SluiceError('SLUICE_PASSKEYS_MAX', { max: passkeysMax })
  const options = await generateRegistrationOptions({
    rpName: 'Sluice',
    rpID: relyingPartyOf(context.consoleOrigin).rpID,
    userName: user.email,
    userDisplayName: user.name,
    userID: userHandleOf(user.id),
    challenge: await newChallenge(context, 'passkey-registration', user.id),
    timeout: challengeLifeMs,
    attestationType: 'none',
    supportedAlgorithmIDs: algorithms,
    excludeCredentials: known.map(({ credentialId: id }) => ({ id })),
    // It says by itself whose it is, and it knows its owner: so it stands for email, password and second factor.
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
  return JSON.stringify(options)
}

/** Keeps the public half of a new passkey. */
export async function addPasskey(
  context: Context,
  nameText: string,
  responseText: string,
): Promise<Passkey> {
  const { orm, visitorIp: ip, now } = context
  await assertProved(context)
  const userId = personOf(context)
  const name = nameOf(nameText, 'the name of the passkey', nameCharactersMax)
  const { credential, credentialBackedUp } = await verified(context, userId, responseText)

  const passkey = await forkSystem(orm).transactional(async (em) => {
    const user = await lockUser(em, userId)
    if ((await em.count(Passkey, { userId })) >= passkeysMax) {
      throw new SluiceError('SLUICE_PASSKEYS_MAX', { max: passkeysMax })
    }
    const transports = credential.transports?.filter((one) => transportForm.test(one)) ?? []
    const added = em.create(Passkey, {
      userId,
      credentialId: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      signCount: credential.counter,
      transports: transports.slice(0, transportsMax),
      isBackedUp: credentialBackedUp,
      name,
      createdAt: now(),
      lastUsedAt: null,
    })
    em.persist(added)
    recordMail(em, { kind: 'passkey-added', address: user.email, userId, ip, at: now() })
    const act = { action: 'user.passkey-added', user, details: name, ip, at: now() } as const
    await recordUserAct(em, act)
    await em.flush().catch((error: unknown) => {
      if (!(error instanceof UniqueConstraintViolationException)) throw error
      throw new SluiceError('SLUICE_PASSKEY_REFUSED', {}, { cause: error })
    })
    return added
  })
  context.wakeMail()
  return passkey
}

async function verified(context: Context, userId: string, responseText: string) {
  const { rpID, origin } = relyingPartyOf(context.consoleOrigin)
  const response = parseResponse(responseText)
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      response: response as unknown as RegistrationResponseJSON,
      expectedChallenge: takesChallenge(context, 'passkey-registration', userId),
      expectedOrigin: origin,
      expectedRPID: rpID,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    })
    if (!registrationInfo) throw new Error('the attestation is not good')
    return registrationInfo
  } catch (error) {
    throw new SluiceError('SLUICE_PASSKEY_REFUSED', {}, { cause: error })
  }
}

/** What an authenticator keeps beside the passkey: the id of the user, which says nothing about them. */
export function userHandleOf(userId: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(userId.replaceAll('-', ''), 'hex'))
}
