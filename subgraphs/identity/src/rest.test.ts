import { silentLog } from '@sluice/kit/log'
import { anonymous, gatewayPrincipal, type Principal } from '@sluice/kit/principal'
import type { RestRoute } from '@sluice/kit/rest'
import { authtokenOf } from '@sluice/kit/testing'
import { SluiceError } from '@sluice/schema/errors'
import {
  hasPermission,
  type Permission,
  type PermissionSet,
  rolePermissions,
  roles,
} from '@sluice/schema/permissions'
import { expect, test } from 'vitest'

import { restRoutes } from './rest.ts'
import { openWorld, type World } from './testing.ts'

/** Whom a route is for. */
type Needs = Permission | 'gateway' | 'anybody' | 'person' | 'staff'

interface Route {
  needs: Needs
  body?: unknown
  /** What a stranger meets, where an id of the path names the thing and not the organization. */
  missing?: string
}

/** Every path of identity outside the graph. A new one is added here, or the walk fails. */
const declared: Record<string, Route> = {
  'POST /internal/authenticate': { needs: 'gateway' },
  'POST /internal/revocations': { needs: 'gateway' },
  'POST /v1/auth/token/revoke': { needs: 'anybody' },
  'GET /v1/account/export': { needs: 'person' },
  'GET /v1/admin/platform-audit/integrity': { needs: 'staff' },
  'GET /v1/admin/platform-audit/export': { needs: 'staff' },
  'GET /v1/admin/audit/integrity': { needs: 'audit.read' },
  'GET /v1/admin/audit/export': { needs: 'audit.read' },
  'GET /v1/admin/sso': { needs: 'sso.manage' },
  'PUT /v1/admin/sso': { needs: 'sso.manage', body: {} },
  'GET /v1/admin/members': { needs: 'members.manage' },
  'POST /v1/admin/members': { needs: 'members.manage', body: { role: 'VIEWER' } },
  'PATCH /v1/admin/members/:memberId': {
    needs: 'members.manage',
    body: { role: 'DEVELOPER' },
    missing: 'SLUICE_MEMBER_NOT_FOUND',
  },
  'DELETE /v1/admin/members/:memberId': {
    needs: 'members.manage',
    missing: 'SLUICE_MEMBER_NOT_FOUND',
  },
}
/** Callbacks of browsers and SCIM decide by what they are brought; their own tests say how. */
const isElsewhere = (path: string) => /^(\/auth\/|\/scim\/v2\/)/.test(path)

const nameOf = ({ method, path }: RestRoute) => `${method} ${path}`

interface Actor {
  name: string
  principal: Principal
  permissions: PermissionSet | null
}

async function actorsOf(world: World, organizationId: string, owner: Principal): Promise<Actor[]> {
  const people = roles.map(async (role) => {
    if (role === 'OWNER')
      return { name: role, principal: owner, permissions: rolePermissions[role] }
    const person = await world.person(role)
    await world.join(organizationId, person, role)
    const { principal } = await person.context()
    return { name: role, principal, permissions: rolePermissions[role] }
  })
  const stranger = (await (await world.person()).context()).principal
  const authtoken = { ...authtokenOf(organizationId, undefined, 'OWNER'), userId: owner.userId }
  const [membership] = authtoken.memberships
  return [
    ...(await Promise.all(people)),
    { name: 'authtoken', principal: authtoken, permissions: membership?.permissions ?? 0 },
    { name: 'stranger', principal: stranger, permissions: null },
    { name: 'staff', principal: { ...stranger, isAdmin: true }, permissions: null },
    { name: 'anonymous', principal: anonymous, permissions: null },
    { name: 'gateway', principal: gatewayPrincipal, permissions: null },
  ]
}

async function ask(world: World, route: RestRoute, actor: Actor, organizationId: string) {
  const { body } = declared[nameOf(route)] ?? {}
  const memberId = route.path.includes(':memberId') ? await newMember(world, organizationId) : ''
  const isInvitation = nameOf(route) === 'POST /v1/admin/members'
  const invited = isInvitation ? { email: `${crypto.randomUUID()}@example.test` } : {}
  const bytes = Buffer.from(JSON.stringify({ ...(body as object), ...invited }))
  try {
    const { status } = await route.handle({
      method: route.method,
      path: route.path.replace(':memberId', memberId),
      params: { memberId },
      query: new URLSearchParams({ organizationId }),
      caller: {
        principal: actor.principal,
        requestId: crypto.randomUUID(),
        visitorIp: '192.0.2.9',
        signal: undefined,
        header: () => null,
        setHeader: () => undefined,
      },
      body: bytes,
      json: () => JSON.parse(bytes.toString()),
      form: () => new URLSearchParams(),
      cookie: () => null,
    })
    return status < 400 ? 'allowed' : String(status)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    // Whoever is told what is wrong with the request was let in.
    return error.code === 'SLUICE_INPUT_INVALID' || error.code === 'SLUICE_SSO_NOT_FOUND'
      ? 'allowed'
      : error.code
  }
}

async function newMember(world: World, organizationId: string): Promise<string> {
  return (await world.join(organizationId, await world.person(), 'VIEWER')).id
}

function verdictFor({ needs, missing }: Route, { name, principal, permissions }: Actor): string {
  if (needs === 'anybody') return 'allowed'
  if (needs === 'gateway') return name === 'gateway' ? 'allowed' : 'SLUICE_UNAUTHENTICATED'
  if (principal.kind === 'anonymous') return 'SLUICE_UNAUTHENTICATED'
  if (needs === 'person' || needs === 'staff') {
    const isPerson = principal.kind === 'user' && (needs === 'person' || principal.isAdmin)
    return isPerson ? 'allowed' : 'SLUICE_FORBIDDEN'
  }
  if (permissions === null) return missing ?? 'SLUICE_ORGANIZATION_NOT_FOUND'
  return hasPermission(permissions, needs) ? 'allowed' : 'SLUICE_FORBIDDEN'
}

test('every path outside the graph lets in whom it declares, and nobody else', async () => {
  await using world = await openWorld()
  const owner = await world.person()
  const { organizationId } = owner
  await world.tellEntitlements(organizationId, { maxMembers: 1_000 })
  const routes = restRoutes(world.deps, silentLog).filter(({ path }) => !isElsewhere(path))
  expect(routes.map(nameOf).toSorted((a, b) => a.localeCompare(b))).toEqual(
    Object.keys(declared).toSorted((a, b) => a.localeCompare(b)),
  )

  const { principal } = await owner.context()
  const actors = await actorsOf(world, organizationId, principal)
  const found: string[] = []
  const expected: string[] = []
  for (const route of routes) {
    const needed = declared[nameOf(route)]
    if (!needed) continue
    for (const actor of actors) {
      // The gateway speaks for nobody but itself: no path for people knows it.
      if (actor.name === 'gateway' && needed.needs !== 'gateway') continue
      const line = `${nameOf(route)} ${actor.name}: `
      found.push(line + (await ask(world, route, actor, organizationId)))
      expected.push(line + verdictFor(needed, actor))
    }
  }
  expect(found).toEqual(expected)
}, 60_000)
