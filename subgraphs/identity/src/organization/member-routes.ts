import type { RestAnswer, RestRequest, RestRoute } from '@sluice/kit/rest'
import { roles } from '@sluice/schema/permissions'
import { z } from 'zod'

import { createContext, type Context, type Deps } from '../context.ts'
import type { Invitation } from '../invitation/invitation.entity.ts'
import { inviteMember } from '../invitation/invitation.ts'
import { organizationOf, parseBody } from '../rest-request.ts'
import { roleGivenBy } from '../role/role-given-by.ts'
import { inputInvalid } from '../text.ts'
import type { Member } from './member.entity.ts'
import { changeMemberRole, memberPage, removeMember } from './member.ts'

const path = '/v1/admin/members'
const onePath = `${path}/:memberId`

const givenRole = { role: z.enum(roles).optional(), customRoleId: z.string().optional() }
const NewMember = z.strictObject({ email: z.string(), ...givenRole })
const ChangedMember = z.strictObject(givenRole)

/** `/v1/admin/members`: the rules of the graph, for scripts that look after the members of an organization. */
export function memberRoutes(deps: Deps): RestRoute[] {
  const on = (
    method: RestRoute['method'],
    at: string,
    answer: (context: Context, request: RestRequest) => Promise<RestAnswer>,
  ): RestRoute => ({
    method,
    path: at,
    handle: (request) => answer(createContext(deps, request.caller), request),
  })

  return [
    on('GET', path, async (context, { query }) => {
      const organizationId = organizationOf(context.principal, query, 'members.manage')
      const { nodes, pageInfo } = await memberPage(context, organizationId, {
        first: rowsOf(query.get('first')),
        after: query.get('after'),
      })
      const members = await Promise.all(nodes.map((member) => memberOf(context, member)))
      const { hasNextPage, endCursor } = pageInfo
      return { status: 200, body: { members, next: hasNextPage ? endCursor : null } }
    }),
    on('POST', path, async (context, { query, json }) => {
      const organizationId = organizationOf(context.principal, query, 'members.manage')
      const { email, ...given } = parseBody(NewMember, json())
      const invitation = await inviteMember(context, organizationId, email, roleGivenBy(given))
      return { status: 201, body: { invitation: invitationOf(invitation) } }
    }),
    on('PATCH', onePath, async (context, { params, json }) => {
      const given = roleGivenBy(parseBody(ChangedMember, json()))
      const member = await changeMemberRole(context, params['memberId'] ?? '', given)
      return { status: 200, body: await memberOf(context, member) }
    }),
    on('DELETE', onePath, async (context, { params }) => {
      await removeMember(context, params['memberId'] ?? '')
      return { status: 204 }
    }),
  ]
}

function rowsOf(text: string | null): number | null {
  if (text === null) return null
  const rows = Number(text)
  if (!Number.isInteger(rows) || rows < 1) throw inputInvalid('first is not a number from 1')
  return rows
}

async function memberOf({ users }: Context, member: Member) {
  const { id, userId, role, customRoleId, joinedAt } = member
  const user = await users.load(userId)
  return {
    id,
    user: { id: userId, email: user?.email ?? null, name: user?.name ?? null },
    role,
    customRoleId: customRoleId ?? null,
    joinedAt: new Date(joinedAt).toISOString(),
  }
}

function invitationOf({ id, email, role, customRoleId, expiresAt }: Invitation) {
  return {
    id,
    email,
    role,
    customRoleId: customRoleId ?? null,
    expiresAt: new Date(expiresAt).toISOString(),
  }
}
