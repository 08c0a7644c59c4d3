import type { EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { Member } from '../organization/member.entity.ts'
import { addUser } from '../sign-in/sign-up.ts'
import { organizationOfEmail } from '../sso/email-domain.ts'
import { nameOf } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { emailOf } from '../user/user.ts'
import type { Data } from './resource.ts'
import type { Call } from './scim-call.ts'
import { invalidValue, ScimError } from './scim-error.ts'

/**
 * The account of a person that a provider names by email. A new address gets an account without a password: they enter
 * by single sign-on, or by resetting it. An account that exists is taken only if it is a member already, or if the
 * address is both proved by its holder and of a domain that the organization has proved; else an organization could
 * pull strangers in, or let somebody in who only claims an address.
 */
export async function accountFor(
  em: EntityManager,
  { organizationId, deps }: Call,
  resource: Data,
): Promise<{ user: User; isNew: boolean }> {
  const email = emailIn(resource)
  const isOurs = await ownsDomainOf(em, organizationId, email)
  const user = await em.findOne(User, { email })
  if (!user) {
    const added = await addUser(em, {
      email,
      name: nameIn(resource),
      passwordHash: null,
      isAdmin: false,
      createdAt: deps.now(),
      // Who controls the mail of a domain has nothing more to prove.
      emailVerifiedAt: isOurs ? deps.now() : null,
    })
    return { user: added, isNew: true }
  }
  if (await em.count(Member, { organizationId, userId: user.id })) return { user, isNew: false }
  if (!isOurs) {
    throw taken(
      `${email} has an account. Verify the domain of the address in Sluice, or invite them.`,
    )
  }
  if (!user.emailVerifiedAt) {
    throw taken(`${email} has an account whose address was never confirmed. Have them confirm it.`)
  }
  return { user, isNew: false }
}

/** Whether the organization has proved that the domain of an address is its own. */
export async function ownsDomainOf(
  em: EntityManager,
  organizationId: string,
  email: string,
): Promise<boolean> {
  return (await organizationOfEmail(em, email)) === organizationId
}

/** The primary address, else that for work, else the first, else the name they go by. */
function emailIn(resource: Data): string {
  const emails = (resource['emails'] ?? []) as Data[]
  const chosen =
    emails.find((one) => one['primary'] === true) ??
    emails.find((one) => String(one['type']).toLowerCase() === 'work') ??
    emails[0]
  const text = chosen?.['value'] ?? resource['userName']
  try {
    return emailOf(String(text))
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw invalidValue('The person has no email, neither in emails nor as userName.')
  }
}

/** What a person is called, from whatever the provider tells of it. */
export function nameIn(resource: Data): string {
  const name = (resource['name'] ?? {}) as Data
  const parts = [name['givenName'], name['familyName']].filter(Boolean).join(' ')
  const text = [resource['displayName'], name['formatted'], parts, resource['userName']].find(
    (one) => typeof one === 'string' && one.trim() !== '',
  )
  return nameOf(String(text).trim().slice(0, 100), 'the name')
}

function taken(detail: string): ScimError {
  return new ScimError(409, detail, 'uniqueness')
}
