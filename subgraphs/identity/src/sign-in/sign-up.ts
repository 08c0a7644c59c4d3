import { UniqueConstraintViolationException } from '@mikro-orm/core'
import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { addressOf, networkOf } from '@sluice/kit/network'
import { SluiceError } from '@sluice/schema/errors'

import { assertNotBlocked } from '../abuse/guard-sign-in.ts'
import { hashOfNew } from '../account/new-password.ts'
import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { acceptAs } from '../invitation/accept-invitation.ts'
import { countLinkUse } from '../mail/mail-link.ts'
import { recordMail } from '../mail/mail.ts'
import { addOrganization } from '../organization/organization.ts'
import { nameOf } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { emailOf } from '../user/user.ts'
import { attemptLimits } from './attempts.ts'
import { completeSignIn, startSignIn, type SignedIn } from './start-sign-in.ts'

export interface SignUp {
  email: string
  password: string
  name: string
  organizationName?: string | null | undefined
  /** The token of an invitation: they join its organization, and make none. */
  invitation?: string | null | undefined
}

/** Counts a new account, however its owner showed who they are, and refuses one from a network that guesses. */
export async function countSignUp(context: Context): Promise<void> {
  const { attempts, visitorIp } = context
  await assertNotBlocked(context)
  await attempts.countAll([
    [attemptLimits.signUpByIp, addressOf(visitorIp)],
    [attemptLimits.signUpByNetwork, networkOf(visitorIp)],
  ])
}

/** Makes an account with a first organization, that it owns or that it is invited to, and signs it in. */
export async function signUp(context: Context, input: SignUp): Promise<SignedIn> {
  const { orm } = context
  const { invitation = null } = input
  await countSignUp(context)
  if (invitation) await countLinkUse(context)
  const email = emailOf(input.email)
  const name = nameOf(input.name, 'the name')
  const organizationName = input.organizationName
    ? nameOf(input.organizationName, 'the name of the organization')
    : null
  const passwordHash = await hashOfNew(context, input.password, email)

  const { user, started } = await forkSystem(orm).transactional(async (em) => {
    const account = {
      email,
      name,
      passwordHash,
      emailVerifiedAt: null,
      organizationName,
      invitation,
    }
    const added = await addAccount(context, em, account)
    return { user: added, started: await startSignIn(context, em, added) }
  })
  context.wakeOutbox()
  context.wakeMail()
  return completeSignIn(context, user, started)
}

export interface NewAccount extends Pick<User, 'email' | 'name' | 'emailVerifiedAt'> {
  /** Null for who signs in by other ways only. */
  passwordHash: string | null
  /** Made from the name when it is null. */
  organizationName: string | null
  /** The token of an invitation, whose organization takes the place of their own. */
  invitation?: string | null
}

/** Adds a user with an organization, and asks for proof of an address that is not verified yet. */
export async function addAccount(
  context: Context,
  em: EntityManager,
  { organizationName, invitation = null, ...account }: NewAccount,
): Promise<User> {
  const { visitorIp: ip, now } = context
  const at = now()
  const user = await addUser(em, { ...account, isAdmin: false, createdAt: at })
  const { id: userId, email, name } = user
  const ownName = organizationName ?? `${name.slice(0, 80)}’s organization`
  const organizationId = invitation
    ? (await acceptAs(context, em, user, invitation)).organizationId
    : (await addOrganization(em, ownName, user, ip, at)).id
  recordAct(em, {
    action: 'user.signed-up',
    actor: user,
    organizationId,
    target: { type: 'user', id: userId },
    ip,
    at,
  })
  // An invitation came by mail, so it has confirmed the address.
  if (!user.emailVerifiedAt) {
    recordMail(em, { kind: 'verify-email', address: email, userId, ip, at })
  }
  await em.flush()
  return user
}

/** The unique index decides, not a look before: two may sign up with one address at once. */
export async function addUser(
  em: EntityManager,
  row: Pick<User, 'email' | 'name' | 'isAdmin' | 'createdAt' | 'emailVerifiedAt'> & {
    passwordHash: string | null
  },
): Promise<User> {
  const user = em.create(User, row)
  em.persist(user)
  try {
    await em.flush()
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) {
      throw new SluiceError('SLUICE_EMAIL_TAKEN', {}, { cause: error })
    }
    throw error
  }
  return user
}
