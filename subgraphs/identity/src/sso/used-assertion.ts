import type { EntityManager } from '@sluice/kit/database'

const purgedAtOnceMax = 10_000

/** Forgets assertions that are void by themselves. */
export async function purgeAssertions(em: EntityManager, now: Date): Promise<void> {
  await em.execute(
    `delete from "identity"."used_assertion" where hash in (
       select hash from "identity"."used_assertion" where expires_at < ?
       limit ${purgedAtOnceMax} for update skip locked)`,
    [now],
  )
}
