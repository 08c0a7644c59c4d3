import { randomBytes } from 'node:crypto'

import { Sealer } from '@sluice/kit/sealer'
import { expect, test } from 'vitest'

import { openWorld, type World } from '../testing/world.ts'
import { createTunnel } from './create-tunnel.ts'
import { resealPolicies } from './policy-secret.ts'
import { renewAgentToken, startTunnel } from './start-tunnel.ts'
import { Tunnel } from './tunnel.entity.ts'
import { updateTunnel } from './tunnel.ts'

const secret = 'whsec_what-stripe-signs-with'
const policy = { webhook: { provider: 'stripe', secret } } as const

const storedOf = async (world: World, id: string) =>
  (await world.em().findOneOrFail(Tunnel, id)).policy

async function grantedOf(world: World, { id, epoch }: Pick<Tunnel, 'id' | 'epoch'>) {
  const { agentToken } = await renewAgentToken(world.acme.as(), id, epoch)
  const payload = Buffer.from(agentToken.split('.')[1] ?? '', 'base64url').toString()
  return JSON.parse(payload).policy.webhook as unknown
}

/** As an earlier release has stored it. */
async function storeOpen(world: World, id: string): Promise<void> {
  await world.em().nativeUpdate(Tunnel, { id }, { policy })
}

test('the signing secret of webhooks is stored sealed, for one tunnel, and open in its agent token alone', async () => {
  await using world = await openWorld()
  await world.relay()
  const { tunnel } = await startTunnel(world.acme.as(), { policy })
  const other = await createTunnel(world.acme.as(), world.acme.id, { policy })

  const stored = await storedOf(world, tunnel.id)
  expect(JSON.stringify(stored)).not.toContain(secret)
  expect(stored.webhook).toMatchObject({ provider: 'stripe', sealingKeyId: 'test' })
  expect(await grantedOf(world, tunnel)).toEqual({ provider: 'stripe', secret })

  // Whoever moves it to another row gains nothing.
  const { webhook } = await storedOf(world, other.id)
  await world.em().nativeUpdate(Tunnel, { id: tunnel.id }, { policy: { webhook } as never })
  await expect(grantedOf(world, tunnel)).rejects.toThrow('unable to authenticate data')
})

test('the same secret given again, as an agent does at each start, is no change', async () => {
  await using world = await openWorld()
  const { id } = await createTunnel(world.acme.as(), world.acme.id, { policy })
  const before = await storedOf(world, id)

  await updateTunnel(world.acme.as(), id, { policy })
  expect(await storedOf(world, id)).toEqual(before)

  await updateTunnel(world.acme.as(), id, {
    policy: { webhook: { provider: 'stripe', secret: 'whsec_another' } },
  })
  expect(await storedOf(world, id)).not.toEqual(before)
})

test('what an earlier release has stored open is sealed, and what an older key has sealed is sealed anew', async () => {
  await using world = await openWorld()
  await world.relay()
  const { tunnel } = await startTunnel(world.acme.as(), { policy: { denyIps: ['192.0.2.1'] } })
  await createTunnel(world.acme.as(), world.acme.id, { policy: { compression: true } })
  await storeOpen(world, tunnel.id)
  expect(await grantedOf(world, tunnel)).toEqual({ provider: 'stripe', secret })
  const { sealer } = world.parts.webhooks
  if (!sealer) throw new TypeError('no sealer')

  expect(await resealPolicies(world.parts.orm, sealer)).toBe(1)
  expect(JSON.stringify(await storedOf(world, tunnel.id))).not.toContain(secret)
  expect(await grantedOf(world, tunnel)).toEqual({ provider: 'stripe', secret })

  const next = new Sealer([{ id: 'next', key: randomBytes(32) }, world.sealingKey])
  expect(await resealPolicies(world.parts.orm, next)).toBe(1)
  expect(await resealPolicies(world.parts.orm, next)).toBe(0)
  expect((await storedOf(world, tunnel.id)).webhook).toMatchObject({ sealingKeyId: 'next' })
})

test('without a key no secret is stored, and what is there goes on', async () => {
  await using world = await openWorld()
  await world.relay()
  const { tunnel } = await startTunnel(world.acme.as(), {})
  await storeOpen(world, tunnel.id)
  const context = world.acme.as()
  const keyless = {
    ...context,
    parts: { ...context.parts, webhooks: { sealer: undefined, allowPrivate: true } },
  }

  await expect(createTunnel(keyless, world.acme.id, { policy })).rejects.toMatchObject({
    code: 'SLUICE_WEBHOOKS_OFF',
  })
  const { agentToken } = await renewAgentToken(keyless, tunnel.id, tunnel.epoch)
  const payload = Buffer.from(agentToken.split('.')[1] ?? '', 'base64url').toString()
  expect(payload).toContain(secret)
})
