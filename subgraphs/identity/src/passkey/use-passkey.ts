import {
  generateAuthenticationOptions,
  verifyAuthenticationResponse,
  type AuthenticationResponseJSON,
} from '@simplewebauthn/server'
import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { addressOf } from '@sluice/kit/network'
import { SluiceError } from '@sluice/schema/errors'

import { signInOf } from '../account/assert-proved.ts'
import { recordUserAct } from '../audit/user-act.ts'
import type { Context } from '../context.ts'
import { personOf } from '../organization/organization.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { completeSignIn, startSignIn, type SignedIn } from '../sign-in/start-sign-in.ts'
import { User } from '../user/user.entity.ts'
import { userHandleOf } from './add-passkey.ts'
import { challengeLifeMs, newChallenge, parseResponse, takesChallenge } from './challenge.ts'
import { Passkey } from './passkey.entity.ts'
import { relyingPartyOf } from './relying-party.ts'

const by = 'with a passkey'

/** Answers what `navigator.credentials.get` needs, as JSON. It names nobody: the passkey does. */
export async function startPasskeySignIn(context: Context): Promise<string> {
  const { attempts, visitorIp } = context
  await attempts.count(attemptLimits.passkeyByIp, addressOf(visitorIp))
  return optionsOf(context, await newChallenge(context, 'passkey-sign-in', null), [])
}

/** Signs in whoever holds the passkey. It has verified its user, so that no second factor is asked for. */
export async function signInWithPasskey(context: Context, responseText: string): Promise<SignedIn> {
  const { orm, attempts, visitorIp } = context
  await attempts.count(attemptLimits.passkeyByIp, addressOf(visitorIp))
  const use = await verifiedUse(context, responseText, null)
  const user = await forkSystem(orm).findOneOrFail(User, { id: use.passkey.userId })
  const started = await forkSystem(orm).transactional(async (em) => {
    await noteUse(context, em, use)
    return startSignIn(context, em, user, by)
  })
  return completeSignIn(context, user, started)
}

/** The same to prove that it is still them, with one of their own passkeys. */
export async function startPasskeyProof(context: Context): Promise<string> {
  const userId = personOf(context)
  const known = await forkSystem(context.orm).find(Passkey, { userId })
  if (known.length === 0) throw new SluiceError('SLUICE_PASSKEY_NOT_FOUND')
  return optionsOf(context, await newChallenge(context, 'passkey-proof', userId), known)
}

export async function proveWithPasskey(context: Context, responseText: string): Promise<boolean> {
  const { orm, attempts, visitorIp: ip, now } = context
  const signInId = signInOf(context)
  const userId = personOf(context)
  await attempts.count(attemptLimits.passwordByUser, userId)
  const use = await verifiedUse(context, responseText, userId)
  await forkSystem(orm).transactional(async (em) => {
    const at = now()
    await noteUse(context, em, use)
    const user = await em.findOneOrFail(User, { id: userId })
    await em.nativeUpdate(SignIn, { id: signInId, endedAt: null }, { provedAt: at })
    await recordUserAct(em, { action: 'sign-in.proved', user, signInId, details: by, ip, at })
    await em.flush()
  })
  await attempts.forget(attemptLimits.passwordByUser, userId)
  return true
}

async function optionsOf(
  { consoleOrigin }: Context,
  challenge: Uint8Array<ArrayBuffer>,
  passkeys: readonly Passkey[],
): Promise<string> {
  const options = await generateAuthenticationOptions({
    rpID: relyingPartyOf(consoleOrigin).rpID,
    challenge,
    timeout: challengeLifeMs,
    userVerification: 'required',
    allowCredentials: passkeys.map(({ credentialId: id }) => ({ id })),
  })
  return JSON.stringify(options)
}

interface Use {
  readonly passkey: Passkey
  readonly signCount: number
  readonly isBackedUp: boolean
}

/** Whose answer this is. `userId`: only theirs is taken, to a challenge that was made for them. */
async function verifiedUse(
  context: Context,
  responseText: string,
  userId: string | null,
): Promise<Use> {
  const { rpID, origin } = relyingPartyOf(context.consoleOrigin)
  const response = parseResponse(responseText)
  try {
    const em = forkSystem(context.orm)
    const passkey = await em.findOne(Passkey, { credentialId: response.id })
    if (!passkey || (userId !== null && passkey.userId !== userId)) throw new Error('not known')
    const handle = response.response.userHandle
    const own = Buffer.from(userHandleOf(passkey.userId)).toString('base64url')
    if (handle !== undefined && handle !== own) throw new Error('the passkey is of somebody else')
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: response as unknown as AuthenticationResponseJSON,
      expectedChallenge: takesChallenge(
        context,
        userId === null ? 'passkey-sign-in' : 'passkey-proof',
        userId,
      ),
      expectedOrigin: origin,
      expectedRPID: rpID,
      requireUserVerification: true,
      credential: {
        id: passkey.credentialId,
        publicKey: Uint8Array.from(Buffer.from(passkey.publicKey, 'base64url')),
        counter: passkey.signCount,
      },
    })
    if (!verified) throw new Error('the signature is not good')
    const { newCounter: signCount, credentialBackedUp: isBackedUp } = authenticationInfo
    return { passkey, signCount, isBackedUp }
  } catch (error) {
    throw new SluiceError('SLUICE_PASSKEY_REFUSED', {}, { cause: error })
  }
}

/** The row decides: of two answers with one count, which only a copied passkey gives, one is taken. */
async function noteUse({ now }: Context, em: EntityManager, use: Use): Promise<void> {
  const { signCount, isBackedUp, passkey } = use
  const noted = await em.nativeUpdate(
    Passkey,
    { id: passkey.id, signCount: passkey.signCount },
    { signCount, isBackedUp, lastUsedAt: now() },
  )
  if (noted === 0) throw new SluiceError('SLUICE_PASSKEY_REFUSED')
}
