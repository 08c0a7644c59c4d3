import type { EntityManager } from '@sluice/kit/database'
import { isUuid } from '@sluice/kit/uuid'

import { enterpriseSchemaId, userSchemaId } from './attributes.ts'
import { etagOf } from './etag.ts'
import type { Columns } from './filter-sql.ts'
import { idArray } from './group-roles.ts'
import { conditionOf, countOf, listAnswer, type Query } from './list.ts'
import { isWanted, project, type Data, type Wanted } from './resource.ts'
import type { Call } from './scim-call.ts'
import { ScimError } from './scim-error.ts'

/** A resource as it is answered, with its ETag. */
export interface Answered {
  readonly resource: Data
  readonly etag: string
}

interface Row {
  id: string
  user_name: string
  external_id: string | null
  data: Data
  is_active: boolean
  version: number
  created_at: string
  changed_at: string
}

const columns: Columns = {
  single: {
    id: 'r.id::text',
    externalid: 'r.external_id',
    username: 'r.user_name',
    active: 'm.id is not null',
    meta: 'r.created_at',
    'meta.resourcetype': `'User'`,
    'meta.created': 'r.created_at',
    'meta.lastmodified': 'r.changed_at',
  },
  lists: {
    groups: `(select jsonb_build_object('value', g.id::text, 'display', g.display_name) as e
      from "identity"."scim_group_member" gm join "identity"."scim_group" g on g.id = gm.group_id
      where gm.scim_user_id = r.id) l`,
  },
}

const fromUsers = `from "identity"."scim_user" r
  left join "identity"."member" m on m.organization_id = r.organization_id and m.user_id = r.user_id`

export async function listUsers(call: Call, query: Query): Promise<Data> {
  const { em, organizationId } = call
  const condition = conditionOf('User', columns, query.filter)
  const from = `${fromUsers} where r.organization_id = ? and (${condition.text})`
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

/** Throws 404 for a person of another organization as for one that there is not. */
export async function readUser(call: Call, id: string, wanted: Wanted): Promise<Answered> {
  const { em, organizationId } = call
  const from = `${fromUsers} where r.organization_id = ? and r.id = ?`
  const rows = isUuid(id)
    ? await readRows(em, from, [organizationId, id], { startIndex: 1, count: 1 })
    : []
  const [answered] = await answerRows(call, rows, wanted)
  if (!answered) throw userMissing()
  return answered
}

function readRows(
  em: EntityManager,
  from: string,
  values: readonly unknown[],
  { startIndex, count }: Pick<Query, 'startIndex' | 'count'>,
): Promise<Row[]> {
  return em.execute<Row[]>(
    `select r.id, r.user_name, r.external_id, r.data, m.id is not null as is_active, r.version,
       r.created_at, r.changed_at
     ${from} order by r.created_at, r.id offset ? limit ?`,
    [...values, startIndex - 1, count],
  )
}

async function answerRows(
  { em, baseUrl }: Call,
  rows: readonly Row[],
  wanted: Wanted,
): Promise<Answered[]> {
  const groups = isWanted('User', wanted, 'groups')
    ? await groupsOf(
        em,
        rows.map(({ id }) => id),
      )
    : new Map<string, { id: string; name: string }[]>()
  return rows.map((row) => {
    const etag = etagOf(row.version, row.is_active)
    const inGroups = groups.get(row.id) ?? []
    const resource: Data = {
      schemas: [userSchemaId, ...(row.data[enterpriseSchemaId] ? [enterpriseSchemaId] : [])],
      id: row.id,
      ...(row.external_id === null ? {} : { externalId: row.external_id }),
      userName: row.user_name,
      ...row.data,
      active: row.is_active,
      ...(inGroups.length === 0
        ? {}
        : {
            groups: inGroups.map(({ id, name }) => ({
              value: id,
              $ref: `${baseUrl}/Groups/${id}`,
              display: name,
            })),
          }),
      meta: {
        resourceType: 'User',
        created: new Date(row.created_at).toISOString(),
        lastModified: new Date(row.changed_at).toISOString(),
        location: `${baseUrl}/Users/${row.id}`,
        version: etag,
      },
    }
    return { resource: project('User', resource, wanted), etag }
  })
}

async function groupsOf(em: EntityManager, ids: readonly string[]) {
  const rows = await em.execute<{ scim_user_id: string; id: string; name: string }[]>(
    `select gm.scim_user_id, g.id, g.display_name as name from "identity"."scim_group_member" gm
     join "identity"."scim_group" g on g.id = gm.group_id
     where gm.scim_user_id = any(?::uuid[]) order by g.created_at, g.id`,
    [idArray(ids)],
  )
  return Map.groupBy(rows, (row) => row.scim_user_id)
}

export function userMissing(): ScimError {
  return new ScimError(404, 'There is no such person.')
}
