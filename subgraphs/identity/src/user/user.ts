import type { EntityManager } from '@sluice/kit/database'
import { organizationIdsOf, type Principal } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'

import { inputInvalid } from '../text.ts'
import { User } from './user.entity.ts'

const emailCharactersMax = 254
const emailForm =
  /^[^\s@"(),:;<>[\]\\]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?)+$/u
const passwordCharactersMin = 10
export const passwordCharactersMax = 200

/** The one spelling of an address that is stored and searched. Says nothing about whether it is one. */
export function foldEmail(text: string): string {
  return text.normalize('NFC').trim().toLowerCase()
}

/** An address to make an account with. */
export function emailOf(text: string): string {
  const email = foldEmail(text)
  if (email.length > emailCharactersMax || !emailForm.test(email)) {
    throw inputInvalid('the email is not an address')
  }
  return email
}

/** The password as it is hashed: composed, so that every keyboard types the same. */
export function foldPassword(text: string): string {
  return text.normalize('NFC')
}

/** A password to make an account with. Length is what counts (NIST SP 800-63B), so nothing else is asked. */
export function passwordOf(text: string, email: string): string {
  const password = foldPassword(text)
  if (password.length < passwordCharactersMin) {
    throw inputInvalid(`the password is shorter than ${passwordCharactersMin} characters`)
  }
  if (password.length > passwordCharactersMax) {
    throw inputInvalid(`the password is longer than ${passwordCharactersMax} characters`)
  }
  if (foldEmail(password) === email) throw inputInvalid('the password is the email')
  return password
}

/** Changes of what opens one account wait for each other here. */
export async function lockUser(em: EntityManager, userId: string): Promise<User> {
  await em.execute(`select 1 from "identity"."user" where id = ? for no key update`, [userId])
  return em.findOneOrFail(User, { id: userId }, { refresh: true })
}

/** Those of the users that the principal may see: itself, and the members of its organizations. */
export async function findVisibleUsers(
  em: EntityManager,
  principal: Principal,
  ids: readonly string[],
): Promise<User[]> {
  const wanted = ids.filter(isUuid)
  const colleagues = await em.execute<{ id: string }[]>(
    `select distinct user_id as id from "identity"."member"
     where user_id = any(?::uuid[]) and organization_id = any(?::uuid[])`,
    [arrayOf(wanted), arrayOf(organizationIdsOf(principal))],
  )
  const visible = new Set(colleagues.map(({ id }) => id))
  if (principal.userId !== null && wanted.includes(principal.userId)) visible.add(principal.userId)
  return visible.size === 0 ? [] : em.find(User, { id: { $in: [...visible] } })
}

/** A PostgreSQL array literal of ids. */
function arrayOf(ids: readonly string[]): string {
  return `{${ids.join(',')}}`
}
