import { forkSystem } from '@sluice/kit/database'
import { expect, test } from 'vitest'

import { membershipsMax } from '../authenticate/principal-of.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import { Member } from './member.entity.ts'
import { createOrganization } from './organization.ts'

/** Puts a person into organizations until they are in `memberships`. */
async function joinUntil(world: World, { userId }: Person, memberships: number): Promise<void> {
  const em = forkSystem(world.db.orm)
  const wanted = memberships - (await em.count(Member, { userId }))
  await em.execute(
    `with added as (
       insert into identity.organization (id, name, slug, created_at)
       select gen_random_uuid(), 'Many', gen_random_uuid()::text, now() from generate_series(1, ?)
       returning id)
     insert into identity.member (id, organization_id, user_id, role, joined_at)
     select gen_random_uuid(), id, ?, 'OWNER', now() from added`,
    [wanted, userId],
  )
}

test('nobody gets into more organizations than a principal can carry, also by many requests at once', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const bert = await world.person()
  await joinUntil(world, ada, membershipsMax - 1)
  const requests = await Promise.all([1, 2, 3].map(() => ada.context()))

  const answers = await Promise.allSettled([
    ...requests.map((context, index) => createOrganization(context, `One more ${index}`)),
    world.join(bert.organizationId, ada),
  ])

  const refused = answers.filter((answer) => answer.status === 'rejected')
  expect(refused.map(({ reason }) => reason.code)).toEqual(Array(3).fill('SLUICE_MEMBERSHIPS_MAX'))
  expect((await ada.context()).principal.memberships).toHaveLength(membershipsMax)
})

test('making organizations without end is stopped', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  for (let made = 0; made < attemptLimits.createByUser.attemptsMax; made += 1) {
    await world.deps.attempts.count(attemptLimits.createByUser, ada.userId)
  }

  await expect(createOrganization(await ada.context(), 'One more')).rejects.toMatchObject({
    code: 'SLUICE_RATE_LIMITED',
  })
})
