import type { Permission } from '@sluice/schema/permissions'
import { createContext, useContext } from 'react'

import type { Role } from '../gql/graphql.ts'
import type { Me } from './me.ts'

export type Organization = Me['memberships'][number]['organization']

/** The organization that the address names, and what one is in it. */
export interface Place {
  readonly organization: Organization
  readonly role: Role
  /** What the role is called: the name of a custom one, where there is one. */
  readonly roleLabel: string
}

export const PlaceContext = createContext<Place | null>(null)

export function usePlace(): Place {
  const place = useContext(PlaceContext)
  if (!place) throw new Error('usePlace needs an organization')
  return place
}

/** Whether one may do something here. What one may not is not offered; the graph decides all the same. */
export function useMay(permission: Permission): boolean {
  return usePlace().organization.viewerPermissions.includes(permission)
}

export const roles = {
  OWNER: { label: 'Owner', may: 'Everything, also billing and who else is owner.' },
  ADMIN: { label: 'Admin', may: 'Manages members, authtokens, tunnels and domains.' },
  BILLING: { label: 'Billing', may: 'Plan, invoices and payment, and nothing else.' },
  DEVELOPER: { label: 'Developer', may: 'Opens tunnels, creates authtokens, adds domains.' },
  VIEWER: { label: 'Viewer', may: 'Looks, and changes nothing.' },
} as const satisfies Record<Role, { label: string; may: string }>

export const roleChoices = Object.entries(roles).map(([value, { label }]) => ({ value, label }))

export function isRole(value: string | null): value is Role {
  return value !== null && Object.hasOwn(roles, value)
}

const lastKey = 'sluice-organization'

/** The organization to open when the address names none: the last one used, else the first. */
export function homeOf({ memberships }: Me): Organization | null {
  const slug = localStorage.getItem(lastKey)
  const last = memberships.find(({ organization }) => organization.slug === slug)
  return (last ?? memberships[0])?.organization ?? null
}

export function rememberOrganization({ slug }: Organization): void {
  localStorage.setItem(lastKey, slug)
}
