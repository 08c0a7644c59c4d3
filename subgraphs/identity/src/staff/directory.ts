import { forkSystem } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import type { Context } from '../context.ts'
import { Member } from '../organization/member.entity.ts'
import { Organization } from '../organization/organization.entity.ts'
import { Passkey } from '../passkey/passkey.entity.ts'
import { SecondFactor } from '../second-factor/second-factor.entity.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { SocialLink } from '../social/social-link.entity.ts'
import { User } from '../user/user.entity.ts'
import { Impersonation } from './impersonation.entity.ts'
import { staffOf } from './staff.ts'

export interface SearchArgs {
  first?: number | null | undefined
  after?: string | null | undefined
  search?: string | null | undefined
}

const searchCharactersMax = 100
/** Members and organizations that one page of detail shows. */
const shownMax = 100
const signInsShownMax = 20
const actsShownMax = 50

/** Users whose email or name contains the text, or the one with this id, newest first. For staff. */
export async function userPage(context: Context, args: SearchArgs): Promise<Page<User>> {
  staffOf(context)
  const where = conditionOf(args.search, ['email', 'name'])
  return pageOf(args, keysetOf, (rows, after) =>
    forkSystem(context.orm).find(
      User,
      { $and: [where, afterKeyset('createdAt', after)] },
      { orderBy: { createdAt: 'desc', id: 'desc' }, limit: rows },
    ),
  )
}

/** Organizations whose name or slug contains the text, or the one with this id, newest first. For staff. */
export async function organizationPage(
  context: Context,
  args: SearchArgs,
): Promise<Page<Organization>> {
  staffOf(context)
  const where = conditionOf(args.search, ['name', 'slug'])
  return pageOf(args, keysetOf, (rows, after) =>
    forkSystem(context.orm).find(
      Organization,
      { $and: [where, afterKeyset('createdAt', after)] },
      { orderBy: { createdAt: 'desc', id: 'desc' }, limit: rows },
    ),
  )
}

/** Null for an account that is gone. */
export async function findAnyUserOrNull(context: Context, id: string): Promise<User | null> {
  staffOf(context)
  return isUuid(id) ? forkSystem(context.orm).findOne(User, { id }) : null
}

export async function findAnyUser(context: Context, id: string): Promise<User> {
  const user = await findAnyUserOrNull(context, id)
  if (!user) throw new SluiceError('SLUICE_USER_NOT_FOUND')
  return user
}

export async function findAnyOrganization(context: Context, id: string): Promise<Organization> {
  staffOf(context)
  const found = isUuid(id) ? await forkSystem(context.orm).findOne(Organization, { id }) : null
  if (!found) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
  return found
}

/** One place of a user in an organization, with both ends. */
export interface Place {
  readonly user: User
  readonly organization: Organization
  readonly role: string
}

/** The first members of an organization, or the first organizations of a user. */
export async function findPlaces(
  { orm }: Context,
  of: { organizationId: string } | { userId: string },
): Promise<Place[]> {
  const em = forkSystem(orm)
  const orderBy = { joinedAt: 'asc', id: 'asc' } as const
  const members = await em.find(Member, of, { orderBy, limit: shownMax })
  const users = await em.find(User, { id: { $in: members.map(({ userId }) => userId) } })
  const organizationIds = members.map(({ organizationId }) => organizationId)
  const organizations = await em.find(Organization, { id: { $in: organizationIds } })
  return members.flatMap(({ userId, organizationId, role }) => {
    const user = users.find(({ id }) => id === userId)
    const organization = organizations.find(({ id }) => id === organizationId)
    return user && organization ? [{ user, organization, role }] : []
  })
}

export async function countMembers(context: Context, organizationId: string): Promise<number> {
  return forkSystem(context.orm).count(Member, { organizationId })
}

/** The newest sign-ins of somebody, also those that have ended. */
export async function findSignInsOf({ orm }: Context, userId: string): Promise<SignIn[]> {
  const orderBy = { refreshedAt: 'desc', id: 'desc' } as const
  return forkSystem(orm).find(SignIn, { userId }, { orderBy, limit: signInsShownMax })
}

/** When and from where somebody was here last. */
export async function findLastUse(
  context: Context,
  userId: string,
): Promise<{ at: Date; ip: string } | null> {
  const orderBy = { refreshedAt: 'desc' } as const
  const [last] = await forkSystem(context.orm).find(SignIn, { userId }, { orderBy, limit: 1 })
  return last ? { at: last.refreshedAt, ip: last.lastIp } : null
}

/** When staff acted in the place of somebody, the newest first. */
export async function findImpersonationsOf(
  { orm }: Context,
  userId: string,
): Promise<Impersonation[]> {
  const orderBy = { startedAt: 'desc', id: 'desc' } as const
  return forkSystem(orm).find(Impersonation, { userId }, { orderBy, limit: actsShownMax })
}

/** How somebody can sign in: what support needs to know of who cannot. */
export async function findWaysIn(
  { orm }: Context,
  { id: userId, passwordHash }: User,
): Promise<WaysIn> {
  const em = forkSystem(orm)
  const links = await em.find(SocialLink, { userId })
  return {
    password: Boolean(passwordHash),
    passkeys: await em.count(Passkey, { userId }),
    accounts: links.map(({ provider }) => provider),
    secondFactor: (await em.count(SecondFactor, { userId, confirmedAt: { $ne: null } })) > 0,
  }
}

export interface WaysIn {
  readonly password: boolean
  readonly passkeys: number
  /** Providers of accounts elsewhere that open this one. */
  readonly accounts: readonly string[]
  readonly secondFactor: boolean
}

/** What was done to somebody, by staff or themselves, wherever it was recorded; each act once, the newest first. */
export async function findHistoryOf({ orm }: Context, userId: string): Promise<AuditEntry[]> {
  const em = forkSystem(orm)
  const members = await em.find(Member, { userId }, { fields: ['organizationId'] })
  const entries = await em.find(
    AuditEntry,
    {
      targetType: 'user',
      targetId: userId,
      // The index begins with the organization.
      organizationId: { $in: [...members.map(({ organizationId }) => organizationId), null] },
    },
    { orderBy: { at: 'desc', id: 'desc' }, limit: actsShownMax },
  )
  // Whoever is in several organizations has the same act in each.
  const seen = new Set<string>()
  return entries.filter(({ action, at }) => {
    const act = `${action} ${at.toISOString()}`
    return !seen.has(act) && seen.add(act)
  })
}

function keysetOf({ createdAt, id }: { createdAt: Date; id: string }) {
  return { at: createdAt, id }
}

/** Nothing in the text is a pattern. */
function conditionOf(search: string | null | undefined, columns: readonly string[]) {
  const text = (search ?? '').trim().slice(0, searchCharactersMax)
  if (text === '') return {}
  if (isUuid(text)) return { id: text.toLowerCase() }
  const pattern = `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
  return { $or: columns.map((column) => ({ [column]: { $ilike: pattern } })) }
}
