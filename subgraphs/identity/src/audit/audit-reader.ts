import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { assertMay } from '@sluice/kit/principal'

import type { Context } from '../context.ts'
import { staffOf } from '../staff/staff.ts'

/** Whose audit: an organization's, or (null) the platform's: what concerns no organization. */
export type AuditOwner = string | null

/** Sees the rows of that audit. Throws unless they may: members with the permission, of the platform's staff alone. */
export function auditReaderOf(context: Context, owner: AuditOwner): EntityManager {
  if (owner === null) {
    staffOf(context)
    return forkSystem(context.orm)
  }
  assertMay(context.principal, owner, 'audit.read')
  return context.em
}
