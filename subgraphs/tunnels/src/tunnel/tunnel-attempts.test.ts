import { expect, test } from 'vitest'

import { openWorld } from '../testing/world.ts'
import { createTunnel } from './create-tunnel.ts'
import { countCreation, countStart } from './tunnel-attempts.ts'

const limited = { code: 'SLUICE_RATE_LIMITED' }

test('who makes or starts tunnels without end is stopped, and nobody else', async () => {
  await using world = await openWorld()
  const acme = world.acme.as()
  const makes = Array.from({ length: 1_200 }, () => countCreation(acme, world.acme.id))
  await Promise.all(makes)
  const starts = Array.from({ length: 6_000 }, () => countStart(acme, world.acme.id))
  await Promise.all(starts)

  await expect(createTunnel(acme, world.acme.id, { name: 'more' })).rejects.toMatchObject(limited)
  await expect(countStart(acme, world.acme.id)).rejects.toMatchObject(limited)
  const other = await createTunnel(world.globex.as(), world.globex.id, { name: 'other' })
  expect(other.name).toBe('other')
})
