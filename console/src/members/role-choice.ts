import type { Role } from '../gql/graphql.ts'
import { isRole, roleChoices, roles } from '../shell/organization.ts'

interface CustomRole {
  readonly id: string
  readonly name: string
}

interface Held {
  readonly role: Role
  readonly customRole?: CustomRole | null
}

const customPrefix = 'custom:'

/** One value for a menu: the name of a built-in role, or the id of a custom one. */
export function choiceOf({ role, customRole }: Held): string {
  return customRole ? customPrefix + customRole.id : role
}

/** The same as what the graph takes; null for what no menu offers. */
export function roleOfChoice(
  choice: string | null,
): { role: Role } | { customRoleId: string } | null {
  if (isRole(choice)) return { role: choice }
  return choice?.startsWith(customPrefix)
    ? { customRoleId: choice.slice(customPrefix.length) }
    : null
}

/** What a role is called. */
export function labelOf({ role, customRole }: Held): string {
  return customRole?.name ?? roles[role].label
}

/** What a menu of roles offers: the built-in ones, then those of the organization. */
export function choicesOf(customRoles: readonly CustomRole[]) {
  if (customRoles.length === 0) return roleChoices
  return [
    { group: 'Built in', items: roleChoices },
    {
      group: 'Custom',
      items: customRoles.map(({ id, name }) => ({ value: customPrefix + id, label: name })),
    },
  ]
}
