import {
  hasPermission,
  namesOf,
  permissionNames,
  permissions,
  permissionSet,
  rolePermissions,
  roles,
  type Permission,
  type Role,
} from '@sluice/schema/permissions'

import { ago, failure } from './data.ts'
import { pageOf, type Page } from './page-of.ts'
import type { Platform } from './world.ts'

interface RoleArgs {
  roleId?: string
  name: string
  description?: string | null
  permissions: string[]
}

/** What the graph says of roles and invitations of the organization. */
export function organizationFieldsOf(world: Platform) {
  const { data } = world
  return {
    viewerPermissions: () => namesOf(rolePermissions[world.role as Role]),
    roles: () =>
      data.roles.map((role) => ({
        ...role,
        memberCount: data.members.filter(({ customRole }) => customRole?.id === role.id).length,
      })),
    invitations: (page: Page) => pageOf(data.invitations, page),
  }
}

const permissionRows = permissionNames.map((name) => ({
  name,
  description: permissions[name],
  roles: roles.filter((role) => hasPermission(rolePermissions[role], name)),
  isForOwnersOnly: name === 'organization.delete',
}))

export function organizationMutationsOf(world: Platform) {
  const { data } = world
  const roleBy = (id: string | null | undefined) =>
    data.roles.find((role) => role.id === id) ?? null
  const invitationBy = (id: string) => {
    const found = data.invitations.find((one) => one.id === id)
    if (!found) throw failure('SLUICE_INVITATION_NOT_FOUND')
    return found
  }
  return {
    permissions: () => permissionRows,
    invitation: ({ token }: { token: string }) => {
      if (!token.startsWith('good-token')) throw failure('SLUICE_INVITATION_EXPIRED')
      return {
        organizationName: 'Acme',
        email: 'alan@example.com',
        roleName: 'DEVELOPER',
        hasAccount: token.endsWith('-known'),
        expiresAt: ago(-86_400 * 7),
      }
    },
    acceptInvitation: () => ({ id: 'o1', slug: 'acme' }),
    renameOrganization: ({ name }: { name: string }) => {
      data.organizationName = name
      return { id: 'o1', name }
    },
    transferOwnership: ({ memberId }: { memberId: string }) => {
      if (!world.isProved) throw failure('SLUICE_REAUTHENTICATION_NEEDED')
      for (const member of data.members) member.role = member.id === memberId ? 'OWNER' : 'ADMIN'
      world.role = 'ADMIN'
      return { id: 'o1' }
    },
    deleteOrganization: ({ slug }: { slug: string }) => {
      if (!world.isProved) throw failure('SLUICE_REAUTHENTICATION_NEEDED')
      if (slug !== 'acme') throw failure('SLUICE_INPUT_INVALID', { reason: 'the slug' })
      world.hasLeft = true
      return 'o1'
    },
    inviteMember: ({
      input,
    }: {
      input: { email: string; role?: string; customRoleId?: string }
    }) => {
      if (data.invitations.some(({ email }) => email === input.email)) {
        throw failure('SLUICE_INVITATION_EXISTS')
      }
      const made = {
        id: `i${data.invitations.length + 1}`,
        email: input.email,
        role: input.role ?? 'VIEWER',
        customRole: roleBy(input.customRoleId),
        invitedBy: data.members[0]?.user ?? null,
        createdAt: ago(0),
        sentAt: ago(0),
        expiresAt: ago(-86_400 * 7),
        isExpired: false,
      }
      data.invitations.unshift(made)
      return made
    },
    resendInvitation: ({ id }: { id: string }) =>
      Object.assign(invitationBy(id), {
        sentAt: ago(0),
        expiresAt: ago(-86_400 * 7),
        isExpired: false,
      }),
    revokeInvitation: ({ id }: { id: string }) => {
      data.invitations.splice(data.invitations.indexOf(invitationBy(id)), 1)
      return id
    },
    changeMemberRole: (args: { memberId: string; role?: string; customRoleId?: string | null }) => {
      const found = data.members.find(({ id }) => id === args.memberId)
      if (!found) throw failure('SLUICE_MEMBER_NOT_FOUND')
      if (found.role === 'OWNER') throw failure('SLUICE_LAST_OWNER')
      const customRole = roleBy(args.customRoleId)
      return Object.assign(found, { role: args.role ?? 'VIEWER', customRole })
    },
    removeMember: ({ memberId }: { memberId: string }) => {
      data.members = data.members.filter(({ id }) => id !== memberId)
      if (memberId === 'm1') world.hasLeft = true
      return memberId
    },
    createRole: ({ input }: { input: RoleArgs }) => {
      if (data.roles.some(({ name }) => name === input.name))
        throw failure('SLUICE_ROLE_NAME_TAKEN')
      const made = {
        id: `r${data.roles.length + 1}`,
        name: input.name,
        description: input.description ?? '',
        permissions: known(input.permissions) as string[],
        updatedAt: ago(0),
      }
      data.roles.push(made)
      return { ...made, memberCount: 0 }
    },
    updateRole: ({ input }: { input: RoleArgs }) =>
      Object.assign(roleBy(input.roleId) ?? {}, {
        name: input.name,
        description: input.description ?? '',
        permissions: known(input.permissions),
      }),
    deleteRole: ({ input }: { input: { roleId: string; role?: string } }) => {
      const holders = data.members.filter(({ customRole }) => customRole?.id === input.roleId)
      if (holders.length > 0 && !input.role)
        throw failure('SLUICE_ROLE_IN_USE', { name: 'Support' })
      for (const holder of holders) Object.assign(holder, { role: input.role, customRole: null })
      data.roles = data.roles.filter(({ id }) => id !== input.roleId)
      return input.roleId
    },
  }
}

/** In the order of the table, as the graph answers them. */
function known(names: readonly string[]): Permission[] {
  return namesOf(permissionSet(permissionNames.filter((name) => names.includes(name))))
}
