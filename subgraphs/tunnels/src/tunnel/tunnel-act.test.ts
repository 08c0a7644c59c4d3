import { authtokenOf } from '@sluice/kit/testing'
import { expect, test } from 'vitest'

import { setVisitNotice } from '../organization/visit-notice.ts'
import { drainRelay } from '../relay/relay.ts'
import { openWorld, type World } from '../testing/world.ts'
import { createTunnel } from './create-tunnel.ts'
import { startTunnel } from './start-tunnel.ts'
import { deleteTunnel, stopTunnel, updateTunnel } from './tunnel.ts'

interface RecordedAct {
  action: string
  organizationId: string | null
  actor: { kind: string; id: string | null }
  details: string | null
}

async function actsOf(world: World): Promise<RecordedAct[]> {
  const rows = await world
    .em()
    .execute<{ payload: RecordedAct }[]>(
      `select payload from tunnels.outbox_event where name = 'act.recorded' order by sequence`,
    )
  return rows.map(({ payload }) => payload)
}

test('each change of a tunnel is told to the audit once, and what changes nothing is not', async () => {
  await using world = await openWorld()
  await world.relay()
  const authtoken = authtokenOf(world.acme.id)
  const as = () => world.context(authtoken)
  const { id } = await createTunnel(as(), world.acme.id, { name: 'app' })
  const policy = { basicAuth: [{ user: 'ada', password: 'hunter2' }] }

  await startTunnel(as(), { name: 'app', policy })
  await updateTunnel(as(), id, { hostHeader: 'localhost:3000' })
  await updateTunnel(as(), id, { hostHeader: 'localhost:3000' })
  await stopTunnel(as(), id)
  await stopTunnel(as(), id)
  await deleteTunnel(as(), id)

  const acts = (await actsOf(world)).filter(({ organizationId }) => organizationId !== null)
  expect(acts.map(({ action, details }) => [action, details])).toEqual([
    ['tunnel.created', 'app'],
    ['tunnel.started', 'app: with another policy'],
    ['tunnel.changed', 'app: hostHeader'],
    ['tunnel.stopped', 'app'],
    ['tunnel.deleted', 'app'],
  ])
  expect(acts[0]?.actor).toMatchObject({ kind: 'authtoken', id: authtoken.id })
  expect(JSON.stringify(acts)).not.toContain('hunter2')
})

test('what staff and relays do is told too, once for each change', async () => {
  await using world = await openWorld()
  await world.relay('one', 'eu')
  await world.relay('one', 'eu')
  await world.relay('one', 'us')
  const staff = () => world.context({ ...world.acme.member, isAdmin: true })

  await drainRelay(staff(), 'one')
  await drainRelay(staff(), 'one')
  await setVisitNotice(staff(), world.acme.id, true)
  await setVisitNotice(staff(), world.acme.id, true)

  const acts = await actsOf(world)
  expect(
    acts.map(({ action, organizationId, actor }) => [action, organizationId, actor.kind]),
  ).toEqual([
    ['relay.registered', null, 'relay'],
    ['relay.registered', null, 'relay'],
    ['relay.drained', null, 'user'],
    ['organization.visit-notice-changed', world.acme.id, 'user'],
  ])
})

test('a change that fails tells nothing', async () => {
  await using world = await openWorld()
  await createTunnel(world.globex.as(), world.globex.id, { name: 'app' })

  await createTunnel(world.acme.as(), world.acme.id, { name: 'app' }).catch(() => undefined)

  expect(await actsOf(world)).toHaveLength(1)
})
