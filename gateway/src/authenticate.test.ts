import { authtokenOf, membershipOf } from '@sluice/kit/testing'
import { expect, test } from 'vitest'

import { memberPrincipal } from './testing/principals.ts'
import { subscribed } from './testing/received.ts'
import { codeOf, createWorld, type World } from './testing/world.ts'

const plain = 'subscription { events(tunnelId: "t1") { n } }'

async function live(world: World, token: string) {
  const received = subscribed(world.client(token), plain)
  await world.lives(1)
  return received
}

test('when the sign-in expires its subscriptions end with the code, then the socket with 4403', async () => {
  await using world = await createWorld()
  const token = world.signIn(memberPrincipal(), new Date(Date.now() + 2_000))
  const client = world.client(token)
  const closed = new Promise<unknown>((resolve) => client.on('closed', resolve))
  const received = subscribed(client, plain)

  expect(await received.next()).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_UNAUTHENTICATED' } }],
  })
  expect(await closed).toMatchObject({ code: 4403 })
  await world.lives(0)
})

test('a revoked credential ends its subscriptions at once, and nobody else’s', async () => {
  await using world = await createWorld()
  const [revoked, other] = [memberPrincipal(), memberPrincipal()]
  const token = world.signIn(revoked)
  const ends = subscribed(world.client(token), plain)
  const stays = subscribed(world.client(world.signIn(other)), plain)
  await world.lives(2)
  const organizationId = revoked.memberships[0]?.organizationId
  const id = `${organizationId}:${revoked.userId}`

  const began = performance.now()
  world.identity.change(token, { ...revoked, memberships: [] })
  await world.revoke({ kind: 'membership', id })
  const last = await ends.next()

  // On a busy machine, too, and before anybody would have asked again.
  expect(performance.now() - began).toBeLessThan(4_000)
  expect(last).toMatchObject({ errors: [{ extensions: { code: 'SLUICE_UNAUTHENTICATED' } }] })
  await world.lives(1)
  world.emit({ n: 1 })
  expect((await stays.next()).data).toEqual({ events: { n: 1 } })
})

test('who gains a membership keeps every subscription, and is from then on who they are now', async () => {
  await using world = await createWorld()
  const before = memberPrincipal()
  const token = world.signIn(before)
  const client = world.client(token)
  const stays = subscribed(client, plain)
  await world.lives(1)
  const organizationId = crypto.randomUUID()
  const memberships = [...before.memberships, membershipOf(organizationId, 'VIEWER')]
  const now = { ...before, id: crypto.randomUUID(), memberships }
  world.identity.change(token, now)

  await world.revoke({ kind: 'membership', id: `${organizationId}:${before.userId}` })

  await expect
    .poll(async () => {
      const asked = subscribed(client, '{ whoami }')
      return (await asked.next()).data
    })
    .toEqual({ whoami: now.id })
  world.emit({ n: 1 })
  expect((await stays.next()).data).toEqual({ events: { n: 1 } })
})

test.for(['its credential ends', 'the gateway stops'])(
  'a subscription is not completed when %s: the client’s library opens it again',
  async (why) => {
    await using world = await createWorld()
    const principal = memberPrincipal()
    const token = world.signIn(principal)
    const socket = world.socket()
    const messages: { type: string }[] = []
    socket.on('message', (data: Buffer) => {
      messages.push(JSON.parse(data.toString()) as { type: string })
    })
    socket.once('open', () => {
      const payload = { authorization: `Bearer ${token}` }
      socket.send(JSON.stringify({ type: 'connection_init', payload }))
    })
    await expect.poll(() => messages.some(({ type }) => type === 'connection_ack')).toBe(true)
    socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: plain } }))
    await world.lives(1)
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))

    if (why === 'the gateway stops') void world.gateway.close()
    else {
      await world.revoke({ kind: 'user', id: principal.id })
    }

    expect(await closed).toBe(why === 'the gateway stops' ? 1012 : 4403)
    expect(messages.map(({ type }) => type)).not.toContain('complete')
  },
)

test('a credential that became void without a word ends its subscriptions when it is looked at again', async () => {
  await using world = await createWorld({
    limits: { revalidateMs: 100, authenticationCachedMs: 50 },
  })
  const token = world.signIn()
  const received = await live(world, token)

  world.identity.remove(token)

  expect(await received.next()).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_UNAUTHENTICATED' } }],
  })
  await world.lives(0)
})

test('a membership that was lost without a word ends its subscriptions when it is looked at again', async () => {
  await using world = await createWorld({
    limits: { revalidateMs: 100, authenticationCachedMs: 50 },
  })
  const member = memberPrincipal()
  const token = world.signIn(member)
  const received = await live(world, token)

  world.identity.change(token, { ...member, memberships: [] })

  expect(await received.next()).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_UNAUTHENTICATED' } }],
  })
  await world.lives(0)
})

test('while identity is away running subscriptions go on', async () => {
  await using world = await createWorld({
    limits: { revalidateMs: 100, authenticationCachedMs: 50 },
  })
  const received = await live(world, world.signIn())
  const asked = world.identity.asked()

  world.identity.goAway()
  await expect.poll(world.identity.asked).toBeGreaterThan(asked + 2)
  world.emit({ n: 1 })

  expect((await received.next()).data).toMatchObject({ events: { n: 1 } })
})

test('what is on the revoke list alone ends streams and answers from memory, without a word of Redis', async () => {
  await using world = await createWorld({ limits: { authenticationCachedMs: 60_000 } })
  const member = memberPrincipal()
  const token = world.signIn(member)
  const received = await live(world, token)

  world.identity.remove(token)
  world.identity.list('sign-in', String(member.signInId))

  expect(await received.next()).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_UNAUTHENTICATED' } }],
  })
  await expect
    .poll(async () => codeOf(await world.query('{ whoami }', token)), { timeout: 15_000 })
    .toBe('SLUICE_UNAUTHENTICATED')
})

test('what was said of an authtoken from one address lets nobody in from another', async () => {
  await using world = await createWorld({ trustedProxies: ['127.0.0.1'] })
  const token = world.signIn(authtokenOf(crypto.randomUUID()))
  world.identity.allowFrom(token, '192.0.2.1')
  const from = (ip: string) =>
    world.post({ query: '{ whoami }' }, { token, headers: { 'x-forwarded-for': ip } })

  const allowed = await from('192.0.2.1')
  const other = await from('192.0.2.2')

  expect(allowed.status).toBe(200)
  expect(codeOf(other)).toBe('SLUICE_AUTHTOKEN_IP_REFUSED')
})

test('an authtoken that is given an end takes what it has opened along', async () => {
  await using world = await createWorld({
    limits: { revalidateMs: 100, authenticationCachedMs: 50 },
  })
  const authtoken = authtokenOf(crypto.randomUUID())
  const token = world.signIn(authtoken)
  const received = await live(world, token)

  world.identity.change(token, authtoken, new Date(Date.now() + 1_000))

  expect(await received.next()).toMatchObject({
    errors: [
      {
        extensions: { code: expect.stringMatching(/^SLUICE_(AUTHTOKEN_EXPIRED|UNAUTHENTICATED)$/) },
      },
    ],
  })
  await world.lives(0)
})
