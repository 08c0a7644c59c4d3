import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { EntityManager } from '@sluice/kit/database'
import { isUuid } from '@sluice/kit/uuid'

import { recordAct, type AuditAction } from '../audit/audit.ts'
import { announceMembership } from '../organization/membership.ts'
import { lockOrganization } from '../organization/organization.ts'
import { groupSchemaId } from './attributes.ts'
import { etagOf, type Etags } from './etag.ts'
import type { Columns } from './filter-sql.ts'
import { applyMembers, memberIdsOf, membersOf, type MembersChange } from './group-members.ts'
import { settleRoles } from './group-roles.ts'
import { conditionOf, countOf, listAnswer, type Query } from './list.ts'
import type { Answered } from './read-users.ts'
import { isWanted, objectOf, project, readResource, type Data, type Wanted } from './resource.ts'
import { actorOf, type Call } from './scim-call.ts'
import { invalidValue, ScimError } from './scim-error.ts'
import { ScimGroup } from './scim-group.entity.ts'

const groupsMax = 1_000
const nameCharactersMax = 320
/** Groups of one answer have at most so many members together; the page ends before (RFC 7644 §3.4.2.4). */
const membersAnsweredMax = 10_000

interface Row {
  id: string
  display_name: string
  external_id: string | null
  version: number
  created_at: string
  changed_at: string
}

const columns: Columns = {
  single: {
    id: 'r.id::text',
    externalid: 'r.external_id',
    displayname: 'r.display_name',
    meta: 'r.created_at',
    'meta.resourcetype': `'Group'`,
    'meta.created': 'r.created_at',
    'meta.lastmodified': 'r.changed_at',
  },
  lists: {
    members: `(select jsonb_build_object('value', gm.scim_user_id::text, 'display', u.user_name, 'type', 'User') as e
      from "identity"."scim_group_member" gm join "identity"."scim_user" u on u.id = gm.scim_user_id
      where gm.group_id = r.id) l`,
  },
}

/** What a client writes of a group. */
export interface GroupInput {
  displayName: string
  externalId: string | null
  members: readonly MembersChange[]
}

export async function listGroups(call: Call, query: Query): Promise<Data> {
  const { em, organizationId } = call
  const condition = conditionOf('Group', columns, query.filter)
  const from = `from "identity"."scim_group" r where r.organization_id = ? and (${condition.text})`
  const values = [organizationId, ...condition.values]
  const total = await countOf(em, from, values)
  const rows = query.count === 0 ? [] : await readRows(em, from, values, query)
  const answered = await answerRows(call, rows, query.wanted)
  return listAnswer(
    answered.map(({ resource }) => resource),
    total,
    query,
  )
}

/** Throws 404 for a group of another organization as for one that there is not. */
export async function readGroup(call: Call, id: string, wanted: Wanted): Promise<Answered> {
  const { em, organizationId } = call
  const from = `from "identity"."scim_group" r where r.organization_id = ? and r.id = ?`
  const rows = isUuid(id)
    ? await readRows(em, from, [organizationId, id], { startIndex: 1, count: 1 })
    : []
  const [answered] = await answerRows(call, rows, wanted)
  if (!answered) throw groupMissing()
  return answered
}

/** Reads the body of a POST or PUT. */
export function groupOf(body: unknown): GroupInput {
  const isMembers = ([key]: [string, unknown]) => key.toLowerCase() === 'members'
  const given = Object.entries(objectOf(body))
  // They are more than a list of a resource may have, so they are read by themselves.
  const rest = Object.fromEntries(given.filter((one) => !isMembers(one)))
  return {
    ...assertNamed(readResource('Group', rest)),
    members: [{ kind: 'set', ids: memberIdsOf(given.find(isMembers)?.[1] ?? []) }],
  }
}

export async function createGroup(call: Call, input: GroupInput): Promise<string> {
  const { organizationId, deps } = call
  const id = crypto.randomUUID()
  await call.em.transactional(async (em) => {
    await lockOrganization(em, organizationId)
    if ((await em.count(ScimGroup, { organizationId })) >= groupsMax) {
      throw new ScimError(403, `An organization has at most ${groupsMax} groups by SCIM.`)
    }
    const { displayName, externalId } = input
    const at = deps.now()
    const group = em.create(ScimGroup, {
      id,
      organizationId,
      displayName,
      externalId,
      role: null,
      customRoleId: null,
      version: 1,
      createdAt: at,
      changedAt: at,
    })
    em.persist(group)
    act(em, call, 'scim-group.created', group, '')
    await uniquely(displayName, () => em.flush())
    await applyMembers(em, group, input.members)
  })
  return id
}

/** `change` gets what the group is called, and answers what it shall be. */
export async function changeGroup(
  call: Call,
  id: string,
  etags: Etags,
  change: (now: { displayName: string; externalId: string | null }) => GroupInput,
): Promise<void> {
  const { organizationId, ip, deps } = call
  const changed = await call.em.transactional(async (em) => {
    const group = await lockGroup(em, call, id)
    etags.assertMatch(etagOf(group.version))
    const { displayName, externalId, members } = change({
      displayName: group.displayName,
      externalId: group.externalId ?? null,
    })
    const moved = await applyMembers(em, group, members)
    const isRenamed = displayName !== group.displayName
    if (!isRenamed && externalId === group.externalId && moved.length === 0) return []
    const was = group.displayName
    Object.assign(group, { displayName, externalId, changedAt: deps.now() })
    group.version += 1
    const changes = [
      ...(isRenamed ? [`renamed from ${was}`] : []),
      ...(moved.length > 0 ? [`${moved.length} members added or removed`] : []),
    ]
    act(em, call, 'scim-group.changed', group, changes.join(', '))
    await uniquely(displayName, () => em.flush())
    if (group.role === null) return []
    return settleRoles(em, organizationId, moved, { actor: actorOf(call), ip, at: deps.now() })
  })
  await announce(call, changed)
}

export async function deleteGroup(call: Call, id: string, etags: Etags): Promise<void> {
  const { organizationId, ip, deps } = call
  const changed = await call.em.transactional(async (em) => {
    const group = await lockGroup(em, call, id)
    etags.assertMatch(etagOf(group.version))
    const moved = await applyMembers(em, group, [{ kind: 'set', ids: [] }])
    act(em, call, 'scim-group.deleted', group, '')
    em.remove(group)
    await em.flush()
    if (group.role === null) return []
    return settleRoles(em, organizationId, moved, { actor: actorOf(call), ip, at: deps.now() })
  })
  await announce(call, changed)
}

/** Throws 400 unless a group can be called so. */
export function assertNamed({ displayName, externalId }: Data): {
  displayName: string
  externalId: string | null
} {
  if (typeof displayName !== 'string' || displayName.trim() === '') {
    throw invalidValue('A group needs a displayName.')
  }
  const id = (externalId ?? null) as string | null
  if (displayName.length > nameCharactersMax || (id ?? '').length > nameCharactersMax) {
    throw invalidValue(`displayName and externalId have at most ${nameCharactersMax} characters.`)
  }
  return { displayName: displayName.trim(), externalId: id }
}

async function lockGroup(em: EntityManager, { organizationId }: Call, id: string) {
  await lockOrganization(em, organizationId)
  const group = isUuid(id) ? await em.findOne(ScimGroup, { id, organizationId }) : null
  if (!group) throw groupMissing()
  return group
}

async function announce(
  { deps }: Call,
  members: Awaited<ReturnType<typeof settleRoles>>,
): Promise<void> {
  for (const member of members) await announceMembership(deps.revocations, member)
}

function act(
  em: EntityManager,
  call: Call,
  action: AuditAction,
  { id, displayName }: ScimGroup,
  changes: string,
): void {
  recordAct(em, {
    action,
    actor: actorOf(call),
    organizationId: call.organizationId,
    target: { type: 'scim-group', id },
    details: `${displayName}${changes && `: ${changes}`}`,
    ip: call.ip,
    at: call.deps.now(),
  })
}

async function uniquely(displayName: string, change: () => Promise<void>): Promise<void> {
  try {
    await change()
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error
    throw new ScimError(409, `There is a group ${displayName} already.`, 'uniqueness')
  }
}

function readRows(
  em: EntityManager,
  from: string,
  values: readonly unknown[],
  { startIndex, count }: Pick<Query, 'startIndex' | 'count'>,
): Promise<Row[]> {
  return em.execute<Row[]>(
    `select r.id, r.display_name, r.external_id, r.version, r.created_at, r.changed_at
     ${from} order by r.created_at, r.id offset ? limit ?`,
    [...values, startIndex - 1, count],
  )
}

async function answerRows(
  { em, baseUrl }: Call,
  rows: readonly Row[],
  wanted: Wanted,
): Promise<Answered[]> {
  const isWith = isWanted('Group', wanted, 'members')
  const answered: Answered[] = []
  let members = 0
  for (const row of rows) {
    const found = isWith ? await membersOf(em, row.id) : []
    members += found.length
    if (answered.length > 0 && members > membersAnsweredMax) break
    const etag = etagOf(row.version)
    const resource: Data = {
      schemas: [groupSchemaId],
      id: row.id,
      ...(row.external_id === null ? {} : { externalId: row.external_id }),
      displayName: row.display_name,
      members: found.map(({ id, userName }) => ({
        value: id,
        $ref: `${baseUrl}/Users/${id}`,
        display: userName,
        type: 'User',
      })),
      meta: {
        resourceType: 'Group',
        created: new Date(row.created_at).toISOString(),
        lastModified: new Date(row.changed_at).toISOString(),
        location: `${baseUrl}/Groups/${row.id}`,
        version: etag,
      },
    }
    answered.push({ resource: project('Group', resource, wanted), etag })
  }
  return answered
}

function groupMissing(): ScimError {
  return new ScimError(404, 'There is no such group.')
}
