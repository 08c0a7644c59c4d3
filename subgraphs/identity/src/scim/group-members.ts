import type { EntityManager } from '@sluice/kit/database'
import { isUuid } from '@sluice/kit/uuid'

import { findAttribute } from './attributes.ts'
import type { Filter } from './filter.ts'
import { idArray } from './group-roles.ts'
import type { Operation } from './patch.ts'
import { objectOf, valueOf, type Data } from './resource.ts'
import { invalidValue, ScimError } from './scim-error.ts'
import type { ScimGroup } from './scim-group.entity.ts'

/** As many people as a group has, and as one call can add or remove. */
const groupMembersMax = 10_000

/** One step of a change of members. `set` leaves these and nobody else. */
export interface MembersChange {
  readonly kind: 'add' | 'remove' | 'set'
  readonly ids: readonly string[]
}

/** The ids in a list of members: `[{ value }]`, or bare ids. Throws 413 for more than a call can have. */
export function memberIdsOf(value: unknown): string[] {
  const list = (Array.isArray(value) ? value : [value]) as unknown[]
  if (list.length > groupMembersMax) throw tooMany()
  const ids = list.map((one) => {
    const id = typeof one === 'string' ? one : objectOf(one, 'A member')['value']
    if (typeof id !== 'string' || !isUuid(id)) throw missing(String(id))
    return id.toLowerCase()
  })
  return [...new Set(ids)]
}

/** What the operations of a PATCH make of a group: its texts, and the changes of its members in their order. */
export function readGroupPatch(
  before: Data,
  operations: readonly Operation[],
): { texts: Data; members: MembersChange[] } {
  const texts: Data = { ...before }
  const members: MembersChange[] = []
  for (const { op, path, value } of operations) {
    const pairs = path
      ? [[path.name, value] as const]
      : Object.entries(objectOf(value, 'The value'))
    for (const [name, one] of pairs) {
      const found = findAttribute('Group', name)
      if (!found) {
        if (!path) continue
        throw new ScimError(400, `There is no attribute ${name.slice(0, 100)}.`, 'invalidPath')
      }
      const { attribute } = found
      if (attribute.name === 'members') {
        if (found.sub || path?.sub) throw notChangeable('a part of a member')
        members.push(membersChangeOf(op, path?.where ?? null, one))
      } else if (!attribute.readOnly) {
        texts[attribute.name] = op === 'remove' || one === null ? null : valueOf(attribute, one)
      } else if (path) throw notChangeable(attribute.name)
    }
  }
  if (members.reduce((sum, { ids }) => sum + ids.length, 0) > groupMembersMax) throw tooMany()
  return { texts, members }
}

function membersChangeOf(op: Operation['op'], where: Filter | null, value: unknown): MembersChange {
  if (where) {
    if (op !== 'remove') throw notChangeable('a member')
    return { kind: 'remove', ids: idsIn(where) }
  }
  const isEmpty = value === undefined || value === null
  if (op === 'replace') return { kind: 'set', ids: isEmpty ? [] : memberIdsOf(value) }
  if (op === 'add') return { kind: 'add', ids: isEmpty ? [] : memberIdsOf(value) }
  // Entra removes members by `value`; without one all go.
  return isEmpty ? { kind: 'set', ids: [] } : { kind: 'remove', ids: memberIdsOf(value) }
}

/** `value eq "…"`, or several of them joined by `or`. */
function idsIn(where: Filter): string[] {
  const terms = where.kind === 'or' ? where.filters : [where]
  return terms.flatMap((term) => {
    const isEqual = term.kind === 'compare' && term.operator === 'eq'
    const id = isEqual && term.path.name.toLowerCase() === 'value' ? term.value : null
    if (typeof id !== 'string') {
      throw new ScimError(400, 'Members are removed by their value.', 'invalidPath')
    }
    // Whoever is not in the group need not be removed from it.
    return isUuid(id) ? [id.toLowerCase()] : []
  })
}

/**
 * Changes who is in a group; the answer is whom it concerned. Part of the caller's transaction, for whom the organization is
 * locked. A person of another organization is as missing as one that there is not.
 */
export async function applyMembers(
  em: EntityManager,
  { id: groupId, organizationId }: ScimGroup,
  changes: readonly MembersChange[],
): Promise<string[]> {
  const moved = new Set<string>()
  const run = async (sql: string, values: unknown[]) => {
    const rows = await em.execute<{ scim_user_id: string }[]>(sql, values)
    for (const row of rows) moved.add(row.scim_user_id)
  }
  for (const { kind, ids } of changes) {
    const list = idArray(ids)
    if (kind === 'remove') {
      await run(
        `delete from "identity"."scim_group_member"
         where group_id = ? and scim_user_id = any(?::uuid[]) returning scim_user_id`,
        [groupId, list],
      )
      continue
    }
    await assertPresent(em, organizationId, ids)
    if (kind === 'set') {
      await run(
        `delete from "identity"."scim_group_member"
         where group_id = ? and not (scim_user_id = any(?::uuid[])) returning scim_user_id`,
        [groupId, list],
      )
    }
    await run(
      `insert into "identity"."scim_group_member" (group_id, scim_user_id, organization_id)
       select ?, u.id, u.organization_id from "identity"."scim_user" u
       where u.organization_id = ? and u.id = any(?::uuid[])
       on conflict do nothing returning scim_user_id`,
      [groupId, organizationId, list],
    )
  }
  if (moved.size === 0) return []
  await assertSize(em, groupId)
  // Their `groups` are other ones now.
  await em.execute(
    `update "identity"."scim_user" set version = version + 1 where id = any(?::uuid[])`,
    [idArray([...moved])],
  )
  return [...moved]
}

export async function membersOf(
  em: EntityManager,
  groupId: string,
): Promise<{ id: string; userName: string }[]> {
  const rows = await em.execute<{ id: string; user_name: string }[]>(
    `select u.id, u.user_name from "identity"."scim_group_member" gm
     join "identity"."scim_user" u on u.id = gm.scim_user_id
     where gm.group_id = ? order by u.created_at, u.id`,
    [groupId],
  )
  return rows.map(({ id, user_name: userName }) => ({ id, userName }))
}

async function assertPresent(em: EntityManager, organizationId: string, ids: readonly string[]) {
  const [row] = await em.execute<{ id: string }[]>(
    `select wanted.id from unnest(?::uuid[]) as wanted(id)
     left join "identity"."scim_user" u on u.id = wanted.id and u.organization_id = ?
     where u.id is null limit 1`,
    [idArray(ids), organizationId],
  )
  if (row) throw missing(row.id)
}

async function assertSize(em: EntityManager, groupId: string): Promise<void> {
  const [row] = await em.execute<{ members: string }[]>(
    `select count(*) as members from "identity"."scim_group_member" where group_id = ?`,
    [groupId],
  )
  if (Number(row?.members) > groupMembersMax) throw tooMany()
}

function tooMany(): ScimError {
  return new ScimError(413, `A group, or one change of it, has at most ${groupMembersMax} members.`)
}

function missing(id: string): ScimError {
  return invalidValue(`There is no person ${id.slice(0, 64)}.`)
}

function notChangeable(what: string): ScimError {
  return new ScimError(400, `${what} cannot be changed.`, 'mutability')
}
