import { timingSafeEqual } from 'node:crypto'

import { UniqueConstraintViolationException } from '@mikro-orm/core'
import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { recordUserAct } from '../audit/user-act.ts'
import type { Context } from '../context.ts'
import { recordMail } from '../mail/mail.ts'
import { isSecondFactorOn } from '../second-factor/second-factor.ts'
import { secondFactorTicket } from '../sign-in/finish-sign-in.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { addAccount, countSignUp } from '../sign-in/sign-up.ts'
import { completeSignIn, startSignIn } from '../sign-in/start-sign-in.ts'
import { takeTicket } from '../ticket/ticket.ts'
import { User } from '../user/user.entity.ts'
import { emailOf, lockUser } from '../user/user.ts'
import { socialFailure, type SocialIdentity } from './provider.ts'
import { SocialLink, type SocialProviderName } from './social-link.entity.ts'
import { tiesOf } from './social.ts'
import { browserHashOf, type SocialState } from './start-social.ts'

/** What a browser brings back from a provider. */
export interface SocialCallback {
  readonly provider: SocialProviderName
  readonly query: URLSearchParams
  /** Of the cookie that it was given before it left. */
  readonly browserSecret: string | null
}

interface Attempt extends SocialState {
  readonly userId: string | null
}

const linksMax = 10

/** Ends an attempt. Answers the path of the console to go on at; a refusal is told there. */
export async function finishSocial(context: Context, callback: SocialCallback): Promise<string> {
  context.setCookie(context.social.cookie(null))
  let attempt: Attempt | null = null
  try {
    attempt = await takeAttempt(context, callback)
    const identity = await identityOf(context, callback)
    if (attempt.purpose === 'sign-in') return await signIn(context, attempt, identity)
    const user = await whoAsked(context, attempt)
    if (attempt.purpose === 'link') await link(context, user, attempt, identity)
    else await prove(context, user, attempt, identity)
    return attempt.returnTo
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return pathWithProblem(attempt, error)
  }
}

/** The state is used up first, whatever comes of it; then the browser must be the one that left. */
async function takeAttempt(
  { orm, now }: Context,
  { provider, query, browserSecret }: SocialCallback,
): Promise<Attempt> {
  const state = query.get('state') ?? ''
  const ticket = await takeTicket<SocialState>(forkSystem(orm), 'social-state', state, now())
  const isSame =
    ticket !== null &&
    browserSecret !== null &&
    ticket.data.provider === provider &&
    timingSafeEqual(Buffer.from(ticket.data.browserHash), Buffer.from(browserHashOf(browserSecret)))
  if (!isSame) throw new SluiceError('SLUICE_SOCIAL_FAILED')
  return { ...ticket.data, userId: ticket.userId }
}

async function identityOf(
  { social }: Context,
  { provider, query, browserSecret }: SocialCallback,
): Promise<SocialIdentity> {
  try {
    const address = new URL(social.redirectUri(provider))
    address.search = query.toString()
    const ties = tiesOf(query.get('state') ?? '', browserSecret ?? '')
    return await social.provider(provider).identityOf(address, ties)
  } catch (error) {
    throw socialFailure(provider, error, social.log)
  }
}

/** Signs in whoever the account there is linked to. A new account is made for an address that nobody has here. */
async function signIn(
  context: Context,
  attempt: Attempt,
  identity: SocialIdentity,
): Promise<string> {
  const { orm, now } = context
  const { issuer, subject } = identity
  const linked = await forkSystem(orm).findOne(SocialLink, { issuer, subject })
  if (!linked) return signUp(context, attempt, identity)

  const user = await forkSystem(orm).findOneOrFail(User, { id: linked.userId })
  if (await isSecondFactorOn(forkSystem(orm), user.id)) {
    const ticket = await secondFactorTicket(context, user, byOf(attempt))
    return `/sign-in/code?to=${encodeURIComponent(attempt.returnTo)}#${ticket}`
  }
  const started = await forkSystem(orm).transactional(async (em) => {
    await em.nativeUpdate(SocialLink, { id: linked.id }, { lastUsedAt: now() })
    return startSignIn(context, em, user, byOf(attempt))
  })
  await completeSignIn(context, user, started)
  return attempt.returnTo
}

/** An account that has the address already is never taken over: its owner signs in there, and links. */
async function signUp(
  context: Context,
  attempt: Attempt,
  identity: SocialIdentity,
): Promise<string> {
  const { orm, now } = context
  if (identity.verifiedEmail === null) throw new SluiceError('SLUICE_SOCIAL_EMAIL_UNVERIFIED')
  const email = emailOf(identity.verifiedEmail)
  const taken = await forkSystem(orm).count(User, { email })
  if (taken > 0) throw new SluiceError('SLUICE_SOCIAL_EMAIL_KNOWN')
  await countSignUp(context)
  const { user, started } = await forkSystem(orm)
    .transactional(async (em) => {
      const added = await addAccount(context, em, {
        email,
        name: displayNameOf(identity.name, email),
        passwordHash: null,
        emailVerifiedAt: now(),
        organizationName: null,
      })
      await addLink(em, added, attempt, identity, now())
      await em.flush()
      return { user: added, started: await startSignIn(context, em, added, byOf(attempt)) }
    })
    .catch((error: unknown) => {
      // Of two who come at once, the other was first.
      if (error instanceof SluiceError && error.code === 'SLUICE_EMAIL_TAKEN') {
        throw new SluiceError('SLUICE_SOCIAL_EMAIL_KNOWN', {}, { cause: error })
      }
      throw error
    })
  context.wakeOutbox()
  await completeSignIn(context, user, started)
  return attempt.returnTo
}

/** Whoever asked, if the sign-in they asked with still goes on. */
async function whoAsked({ orm, now }: Context, { userId, signInId }: Attempt): Promise<User> {
  const em = forkSystem(orm)
  const going = {
    id: signInId ?? '',
    userId: userId ?? '',
    endedAt: null,
    expiresAt: { $gt: now() },
  }
  if (signInId === null || userId === null || (await em.count(SignIn, going)) === 0) {
    throw new SluiceError('SLUICE_SOCIAL_FAILED')
  }
  return em.findOneOrFail(User, { id: userId })
}

async function link(
  context: Context,
  { id: userId }: User,
  attempt: Attempt,
  identity: SocialIdentity,
): Promise<void> {
  const { orm, visitorIp: ip, now } = context
  const { issuer, subject } = identity
  await forkSystem(orm).transactional(async (em) => {
    const user = await lockUser(em, userId)
    const there = await em.findOne(SocialLink, { issuer, subject })
    if (there && there.userId !== userId) throw new SluiceError('SLUICE_SOCIAL_TAKEN')
    if (there) return
    if ((await em.count(SocialLink, { userId })) >= linksMax) {
      throw new SluiceError('SLUICE_SOCIAL_LINKS_MAX', { max: linksMax })
    }
    await addLink(em, user, attempt, identity, now())
    recordMail(em, { kind: 'social-linked', address: user.email, userId, ip, at: now() })
    const details = labelOf(attempt.provider)
    await recordUserAct(em, { action: 'user.social-linked', user, details, ip, at: now() })
    await em.flush()
  })
  context.wakeMail()
}

async function addLink(
  em: EntityManager,
  { id: userId, email }: User,
  { provider }: Attempt,
  { issuer, subject, verifiedEmail }: SocialIdentity,
  at: Date,
): Promise<void> {
  const row = { id: crypto.randomUUID(), userId, provider, issuer, subject }
  try {
    const shown = (verifiedEmail ?? email).slice(0, 254)
    await em.insert(SocialLink, { ...row, email: shown, linkedAt: at, lastUsedAt: null })
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) {
      throw new SluiceError('SLUICE_SOCIAL_TAKEN', {}, { cause: error })
    }
    throw error
  }
}

async function prove(
  { orm, visitorIp: ip, now }: Context,
  user: User,
  attempt: Attempt,
  { issuer, subject }: SocialIdentity,
): Promise<void> {
  const { signInId } = attempt
  await forkSystem(orm).transactional(async (em) => {
    const at = now()
    const isTheirs = (await em.count(SocialLink, { issuer, subject, userId: user.id })) > 0
    if (!isTheirs || signInId === null) throw new SluiceError('SLUICE_SOCIAL_NOT_LINKED')
    await em.nativeUpdate(SignIn, { id: signInId, endedAt: null }, { provedAt: at })
    const details = byOf(attempt)
    await recordUserAct(em, { action: 'sign-in.proved', user, signInId, details, ip, at })
    await em.flush()
  })
}

const labels: Record<SocialProviderName, string> = { google: 'Google', github: 'GitHub' }

export function labelOf(provider: SocialProviderName): string {
  return labels[provider]
}

function byOf({ provider }: Attempt): string {
  return `with ${labelOf(provider)}`
}

/** A name from elsewhere, made one that could have been typed here. */
function displayNameOf(name: string | null, email: string): string {
  const printable = (name ?? '')
    .normalize('NFC')
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim()
  return (printable || email.slice(0, email.lastIndexOf('@'))).slice(0, 100)
}

/** The console tells what the code means: no text of ours or theirs travels in the address. */
function pathWithProblem(attempt: Attempt | null, { code }: SluiceError): string {
  if (!attempt || attempt.purpose === 'sign-in') return `/sign-in?problem=${code}`
  const url = new URL(attempt.returnTo, 'http://console.invalid')
  url.searchParams.set('problem', code)
  return `${url.pathname}${url.search}${url.hash}`
}
