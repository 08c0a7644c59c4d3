import type { EntityManager } from '@sluice/kit/database'

import { Member } from '../organization/member.entity.ts'

/** How many members have each role, in the order of the ids. */
export async function countHolders(em: EntityManager, ids: readonly string[]): Promise<number[]> {
  const members = await em.find(Member, { customRoleId: { $in: [...ids] } })
  return ids.map((id) => members.filter(({ customRoleId }) => customRoleId === id).length)
}
