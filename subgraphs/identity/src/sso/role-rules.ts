import type { EntityManager } from '@sluice/kit/database'
import { assertMay } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'
import { covers, type Role } from '@sluice/schema/permissions'

import type { Context } from '../context.ts'
import { lookUpRole, type RoleGiven } from '../role/held-permissions.ts'
import { inputInvalid, nameOf } from '../text.ts'
import { changeSso, recordSso, type SsoActor } from './change-sso.ts'
import { SsoConnection, SsoRoleMapping, type SsoTest } from './sso-connection.entity.ts'

const mappingsMax = 50
const mappingCharactersMax = 500

/** What decides about roles, in order. */
export function findMappings(em: EntityManager, connectionId: string): Promise<SsoRoleMapping[]> {
  return em.find(SsoRoleMapping, { connectionId }, { orderBy: { position: 'asc' } })
}

/** The role of whoever has these values, and which of them decided; null: none did. */
export async function roleOf(
  em: EntityManager,
  { id, defaultRole, defaultCustomRoleId }: SsoConnection,
  values: readonly string[],
): Promise<{ given: RoleGiven; decidedBy: string | null }> {
  const mappings = await findMappings(em, id)
  const found = mappings.find(({ value }) => values.includes(value))
  return found
    ? {
        given: { role: found.role, customRoleId: found.customRoleId ?? null },
        decidedBy: found.value,
      }
    : {
        given: { role: defaultRole, customRoleId: defaultCustomRoleId ?? null },
        decidedBy: null,
      }
}

/** What the rules of now look at in a test of then. */
export function testedValues(
  { roleAttribute }: SsoConnection,
  { attributes, roleValues = [] }: SsoTest,
): readonly string[] {
  if (!roleAttribute) return []
  return attributes.find(({ name }) => name === roleAttribute)?.values ?? roleValues
}

export interface SsoRolesInput {
  organizationId: string
  admitsNewMembers: boolean
  defaultRole: RoleGiven
  roleAttribute?: string | null | undefined
  mappings: readonly { value: string; given: RoleGiven }[]
}

/** Says which role people get. Nobody gives more than they hold, and nobody becomes owner by it. */
export async function configureRoles(
  context: Context,
  input: SsoRolesInput,
): Promise<SsoConnection> {
  const { organizationId, admitsNewMembers, defaultRole, mappings } = input
  assertMay(context.principal, organizationId, 'sso.manage')
  if (mappings.length > mappingsMax) throw inputInvalid(`there are more than ${mappingsMax} rules`)
  const roleAttribute = input.roleAttribute?.trim() || null
  if (mappings.length > 0 && roleAttribute === null) {
    throw inputInvalid('rules need the name of the attribute that they look at')
  }
  const rules = mappings.map(({ value, given }) => ({
    value: nameOf(value, 'the value of a rule', mappingCharactersMax),
    given,
  }))

  return changeSso(context, organizationId, async (em, actor) => {
    const connection = await em.findOne(SsoConnection, { organizationId }, { refresh: true })
    if (!connection) throw new SluiceError('SLUICE_SSO_NOT_FOUND')
    const labels = new Map<RoleGiven, string>()
    for (const given of [defaultRole, ...rules.map((rule) => rule.given)]) {
      labels.set(given, await assertGivable(em, organizationId, actor, given))
    }
    await em.nativeDelete(SsoRoleMapping, { connectionId: connection.id })
    rules.forEach(({ value, given }, position) => {
      const { role, customRoleId = null } = given
      em.persist(
        em.create(SsoRoleMapping, {
          connectionId: connection.id,
          position,
          value,
          role,
          customRoleId,
        }),
      )
    })
    Object.assign(connection, {
      admitsNewMembers,
      defaultRole: defaultRole.role,
      defaultCustomRoleId: defaultRole.customRoleId ?? null,
      roleAttribute: roleAttribute && nameOf(roleAttribute, 'the attribute', 200),
      updatedAt: context.now(),
    })
    const words = rules.map(({ value, given }) => `${value}: ${labels.get(given)}`)
    const details = [`default ${labels.get(defaultRole)}`, ...words].join(', ')
    recordSso(context, em, actor, connection, 'sso.roles-changed', details)
    await em.flush()
    return connection
  })
}

async function assertGivable(
  em: EntityManager,
  organizationId: string,
  { permissions: held }: SsoActor,
  given: RoleGiven,
): Promise<string> {
  const owner: Role = 'OWNER'
  if (given.role === owner) throw inputInvalid('nobody becomes owner by single sign-on')
  const { permissions, label } = await lookUpRole(em, organizationId, given)
  if (!covers(held, permissions)) throw new SluiceError('SLUICE_FORBIDDEN')
  return label
}
