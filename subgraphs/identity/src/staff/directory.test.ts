import { forkSystem } from '@sluice/kit/database'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { signIn } from '../sign-in/sign-in.ts'
import { openWorld, testPassword, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import {
  findHistoryOf,
  findImpersonationsOf,
  findSignInsOf,
  findWaysIn,
  userPage,
} from './directory.ts'
import { startImpersonation } from './impersonation.ts'
import { suspendUser, unsuspendUser } from './suspension.ts'

let world: World
let staff: Person
beforeAll(async () => {
  world = await openWorld()
  staff = await world.person('Staff')
  await forkSystem(world.db.orm).nativeUpdate(User, { id: staff.userId }, { isAdmin: true })
})
afterAll(() => world[Symbol.asyncDispose]())

test('support finds somebody by their address, and what happened to them', async () => {
  const ada = await world.person()
  const other = await world.person('Other')
  await world.join(other.organizationId, ada, 'DEVELOPER')
  await signIn(world.request().context, ada.email, testPassword)
  const context = await staff.context()

  const found = await userPage(context, { search: `  ${ada.email.toUpperCase()} ` })
  expect(found.nodes.map(({ id }) => id)).toEqual([ada.userId])
  const [user] = found.nodes
  if (!user) throw new TypeError('nobody was found')
  await suspendUser(context, ada.userId, 'Phishing.')
  await unsuspendUser(context, ada.userId)
  await startImpersonation(context, { userId: ada.userId, reason: 'A question.' })

  expect(await findSignInsOf(context, ada.userId)).toHaveLength(2)
  expect(await findWaysIn(context, user)).toEqual({
    password: true,
    passkeys: 0,
    accounts: [],
    secondFactor: false,
  })
  expect(await findImpersonationsOf(context, ada.userId)).toMatchObject([
    { reason: 'A question.', staffId: staff.userId, mayChange: false },
  ])
  const history = (await findHistoryOf(context, ada.userId)).map(({ action }) => action)
  // Recorded in both organizations, shown once.
  for (const action of ['user.suspended', 'user.unsuspended', 'impersonation.started']) {
    expect(history.filter((one) => one === action)).toHaveLength(1)
  }
})
