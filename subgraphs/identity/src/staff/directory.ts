import { forkSystem } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { Member } from '../organization/member.entity.ts'
import { Organization } from '../organization/organization.entity.ts'
import { SecondFactor } from '../second-factor/second-factor.entity.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { User } from '../user/user.entity.ts'
import { staffOf } from './staff.ts'

export interface SearchArgs {
  first?: number | null | undefined
  after?: string | null | undefined
  search?: string | null | undefined
}

const searchCharactersMax = 100
/** Members and organizations that one page of detail shows. */
const shownMax = 100

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

export async function findAnyUser(context: Context, id: string): Promise<User> {
  staffOf(context)
  const user = isUuid(id) ? await forkSystem(context.orm).findOne(User, { id }) : null
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

/** When and from where somebody was here last. */
export async function findLastUse(
  { orm }: Context,
  userId: string,
): Promise<{ at: Date; ip: string } | null> {
  const orderBy = { refreshedAt: 'desc' } as const
  const [last] = await forkSystem(orm).find(SignIn, { userId }, { orderBy, limit: 1 })
  return last ? { at: last.refreshedAt, ip: last.lastIp } : null
}

export async function hasSecondFactor({ orm }: Context, userId: string): Promise<boolean> {
  return (await forkSystem(orm).count(SecondFactor, { userId, confirmedAt: { $ne: null } })) > 0
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
