import { createHash } from 'node:crypto'

import { forkSystem } from '@sluice/kit/database'
import { addressOf } from '@sluice/kit/network'
import { SluiceError } from '@sluice/schema/errors'

import { assertProved, signInOf } from '../account/assert-proved.ts'
import type { Context } from '../context.ts'
import { personOf } from '../organization/organization.ts'
import { passSecondFactor } from '../second-factor/second-factor.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { issueTicket } from '../ticket/ticket.ts'
import { User } from '../user/user.entity.ts'
import { socialFailure } from './provider.ts'
import { returnPathOf } from './return-path.ts'
import { SocialLink, type SocialProviderName } from './social-link.entity.ts'
import { newBrowserSecret, socialLifeMs, tiesOf } from './social.ts'

/** What is kept of an attempt until the browser comes back. */
export interface SocialState {
  readonly provider: SocialProviderName
  readonly purpose: 'sign-in' | 'link' | 'prove'
  readonly returnTo: string
  /** SHA-256 of the secret in the cookie of the browser that left. */
  readonly browserHash: string
  /** Who asked to link or to prove. */
  readonly signInId: string | null
}

/** Answers where to send the browser, which then comes back signed in. */
export async function startSocialSignIn(
  context: Context,
  provider: SocialProviderName,
  returnTo: string,
): Promise<string> {
  return start(context, { provider, purpose: 'sign-in', returnTo, signInId: null }, null)
}

/** The same for whoever is signed in: the account there can sign in here afterwards. */
export async function startSocialLink(
  context: Context,
  provider: SocialProviderName,
  returnTo: string,
): Promise<string> {
  await assertProved(context)
  const signInId = signInOf(context)
  return start(context, { provider, purpose: 'link', returnTo, signInId }, personOf(context))
}

/** Proves through a linked account that it is still them. The second factor is asked for before the browser leaves. */
export async function startSocialProof(
  context: Context,
  provider: SocialProviderName,
  returnTo: string,
  code: string | null,
): Promise<string> {
  const userId = personOf(context)
  const signInId = signInOf(context)
  const em = forkSystem(context.orm)
  const linked = await em.count(SocialLink, { userId, provider })
  if (linked === 0) throw new SluiceError('SLUICE_SOCIAL_NOT_LINKED')
  await passSecondFactor(context, await em.findOneOrFail(User, { id: userId }), code)
  return start(context, { provider, purpose: 'prove', returnTo, signInId }, userId)
}

async function start(
  context: Context,
  asked: Omit<SocialState, 'browserHash'>,
  userId: string | null,
): Promise<string> {
  const { orm, social, attempts, visitorIp, consoleOrigin, now } = context
  const provider = social.provider(asked.provider)
  const returnTo = returnPathOf(asked.returnTo, consoleOrigin)
  await attempts.count(attemptLimits.socialByIp, addressOf(visitorIp))
  const browserSecret = newBrowserSecret()
  const data: SocialState = { ...asked, returnTo, browserHash: browserHashOf(browserSecret) }
  const state = await issueTicket(forkSystem(orm), {
    purpose: 'social-state',
    userId,
    data,
    lifeMs: socialLifeMs,
    at: now(),
  })
  try {
    const redirectUri = social.redirectUri(asked.provider)
    const address = await provider.addressFor(redirectUri, tiesOf(state, browserSecret))
    context.setCookie(social.cookie(browserSecret))
    return address.href
  } catch (error) {
    throw socialFailure(asked.provider, error, social.log)
  }
}

export function browserHashOf(browserSecret: string): string {
  return createHash('sha256').update(browserSecret).digest('hex')
}
