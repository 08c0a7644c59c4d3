import { UniqueConstraintViolationException } from '@mikro-orm/core'
import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { hashOfNew } from '../account/new-password.ts'
import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { recordMail } from '../mail/mail.ts'
import { addOrganization } from '../organization/organization.ts'
import { nameOf } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { emailOf } from '../user/user.ts'
import { addressOf, attemptLimits } from './attempts.ts'
import { completeSignIn, startSignIn, type SignedIn } from './start-sign-in.ts'

export interface SignUp {
  email: string
  password: string
  name: string
  organizationName?: string | null | undefined
}

/** Makes an account with a first organization that it owns, and signs it in. */
export async function signUp(context: Context, input: SignUp): Promise<SignedIn> {
  const { orm, attempts, visitorIp, now } = context
  await attempts.count(attemptLimits.signUpByIp, addressOf(visitorIp))
  const email = emailOf(input.email)
  const name = nameOf(input.name, 'the name')
  const organizationName = input.organizationName
    ? nameOf(input.organizationName, 'the name of the organization')
    : `${name.slice(0, 80)}’s organization`
  const passwordHash = await hashOfNew(context, input.password, email)

  const { user, started } = await forkSystem(orm).transactional(async (em) => {
    const added = await addUser(em, {
      email,
      name,
      passwordHash,
      isAdmin: false,
      createdAt: now(),
      emailVerifiedAt: null,
    })
    const organization = await addOrganization(em, organizationName, added, visitorIp, now())
    recordAct(em, {
      action: 'user.signed-up',
      actor: added,
      organizationId: organization.id,
      target: { type: 'user', id: added.id },
      ip: visitorIp,
      at: now(),
    })
    const { id: userId } = added
    recordMail(em, { kind: 'verify-email', address: email, userId, ip: visitorIp, at: now() })
    await em.flush()
    return { user: added, started: await startSignIn(context, em, added) }
  })
  context.wakeOutbox()
  context.wakeMail()
  return completeSignIn(context, user, started)
}

/** The unique index decides, not a look before: two may sign up with one address at once. */
export async function addUser(
  em: EntityManager,
  row: Pick<User, 'email' | 'name' | 'passwordHash' | 'isAdmin' | 'createdAt' | 'emailVerifiedAt'>,
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
