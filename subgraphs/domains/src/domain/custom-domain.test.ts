import { forkSystem } from '@sluice/kit/database'
import { anonymous } from '@sluice/kit/principal'
import { authtokenOf, memberOf } from '@sluice/kit/testing'
import { expect, test } from 'vitest'

import { createWorld } from '../testing/world.ts'
import { forgetTunnel } from '../tunnel/forget-tunnel.ts'
import {
  addCustomDomain,
  attachCustomDomain,
  detachCustomDomain,
  removeCustomDomain,
  verifyCustomDomain,
} from './custom-domain.ts'

const coded = (code: string) => expect.objectContaining({ code })

test('a domain is proven by the TXT record that was asked for', async () => {
  const { asAcme, acme, setRecord } = await createWorld()
  const added = await addCustomDomain(asAcme(), {
    organizationId: acme,
    domain: 'App.Example.com.',
  })

  const before = await verifyCustomDomain(asAcme(), added.id)
  setRecord(added)
  const after = await verifyCustomDomain(asAcme(), added.id)

  expect(before).toMatchObject({
    domain: 'app.example.com',
    status: 'PENDING',
    txtFound: false,
    lastError: 'there is no TXT record _sluice-challenge.app.example.com',
  })
  expect(after).toMatchObject({ status: 'VERIFIED', txtFound: true, lastError: null })
  expect(after.verifiedAt).toBeInstanceOf(Date)
})

test('adding a domain again answers the one that is there, also for two at once', async () => {
  const { asAcme, acme } = await createWorld()
  const add = () => addCustomDomain(asAcme(), { organizationId: acme, domain: 'app.example.com' })

  const [one, other] = await Promise.all([add(), add()])

  expect(one.id).toBe(other.id)
  expect((await add()).token).toBe(one.token)
})

test('each organization is asked for a token of its own', async () => {
  const { asAcme, asGlobex, acme, globex } = await createWorld()

  const ours = await addCustomDomain(asAcme(), { organizationId: acme, domain: 'app.example.com' })
  const theirs = await addCustomDomain(asGlobex(), {
    organizationId: globex,
    domain: 'app.example.com',
  })

  expect(ours.token).toMatch(/^[0-9a-f]{32}$/)
  expect(ours.token).not.toBe(theirs.token)
})

test('of two organizations that prove a domain at once, one has it', async () => {
  const { asAcme, asGlobex, acme, globex, setRecord } = await createWorld()
  const ours = await addCustomDomain(asAcme(), { organizationId: acme, domain: 'app.example.com' })
  const theirs = await addCustomDomain(asGlobex(), {
    organizationId: globex,
    domain: 'app.example.com',
  })
  setRecord(ours)
  setRecord(theirs)

  const answers = await Promise.allSettled([
    verifyCustomDomain(asAcme(), ours.id),
    verifyCustomDomain(asGlobex(), theirs.id),
  ])

  expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'SLUICE_DOMAIN_TAKEN' },
  })
})

test('a domain that was removed may be proven by another organization', async () => {
  const { asAcme, acme, globex, verified } = await createWorld()
  const ours = await verified(acme, 'app.example.com')
  await expect(verified(globex, 'app.example.com')).rejects.toThrow(coded('SLUICE_DOMAIN_TAKEN'))

  await removeCustomDomain(asAcme(), ours.id)

  expect(await verified(globex, 'app.example.com')).toMatchObject({ status: 'VERIFIED' })
})

test('losing the record later takes a proven domain from nobody', async () => {
  const { asAcme, acme, dns, verified } = await createWorld()
  const domain = await verified(acme, 'app.example.com')
  dns.clear()

  const again = await verifyCustomDomain(asAcme(), domain.id)

  expect(again).toMatchObject({ status: 'VERIFIED', txtFound: false })
})

test('a plan’s number of domains holds when many are added at once', async () => {
  const { asAcme, acme } = await createWorld()

  const answers = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) =>
      addCustomDomain(asAcme(), { organizationId: acme, domain: `app${index}.example.com` }),
    ),
  )

  const refused = answers.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(3)
  expect(refused[0]).toMatchObject({ reason: { code: 'SLUICE_DOMAINS_MAX', details: { max: 5 } } })
})

test('an organization whose plan is not known yet may have one domain', async () => {
  const { contextFor } = await createWorld()
  const organizationId = crypto.randomUUID()
  const add = (domain: string) =>
    addCustomDomain(contextFor(memberOf(organizationId)), { organizationId, domain })

  await add('one.example.com')

  await expect(add('two.example.com')).rejects.toThrow(coded('SLUICE_DOMAINS_MAX'))
})

test('an attachment and its end are told in order', async () => {
  const { asAcme, acme, verified, tunnel, events } = await createWorld()
  const { id } = await verified(acme, 'app.example.com')
  const [first, second] = [await tunnel(acme), await tunnel(acme)]

  await attachCustomDomain(asAcme(), { id, tunnelId: first })
  await attachCustomDomain(asAcme(), { id, tunnelId: first })
  await attachCustomDomain(asAcme(), { id, tunnelId: second })
  await detachCustomDomain(asAcme(), id)
  await detachCustomDomain(asAcme(), id)

  const common = { organizationId: acme, domainId: id, domain: 'app.example.com' }
  expect(await events()).toEqual([
    { name: 'domain.attached', payload: { ...common, tunnelId: first } },
    { name: 'domain.detached', payload: common },
    { name: 'domain.attached', payload: { ...common, tunnelId: second } },
    { name: 'domain.detached', payload: common },
  ])
})

test('removing an attached domain ends its attachment', async () => {
  const { asAcme, acme, verified, tunnel, events } = await createWorld()
  const { id } = await verified(acme, 'app.example.com')
  await attachCustomDomain(asAcme(), { id, tunnelId: await tunnel(acme) })

  await removeCustomDomain(asAcme(), id)

  expect((await events()).map(({ name }) => name)).toEqual(['domain.attached', 'domain.detached'])
  await expect(verifyCustomDomain(asAcme(), id)).rejects.toThrow(coded('SLUICE_DOMAIN_NOT_FOUND'))
})

test('only a verified domain is attached', async () => {
  const { asAcme, acme, tunnel } = await createWorld()
  const { id } = await addCustomDomain(asAcme(), { organizationId: acme, domain: 'a.example.com' })

  await expect(attachCustomDomain(asAcme(), { id, tunnelId: await tunnel(acme) })).rejects.toThrow(
    coded('SLUICE_DOMAIN_NOT_VERIFIED'),
  )
})

test('a tunnel of another organization looks missing', async () => {
  const { asAcme, acme, globex, verified, tunnel } = await createWorld()
  const { id } = await verified(acme, 'app.example.com')
  const attach = (tunnelId: string) => attachCustomDomain(asAcme(), { id, tunnelId })

  await expect(attach(await tunnel(globex))).rejects.toThrow(coded('SLUICE_TUNNEL_NOT_FOUND'))
  await expect(attach(crypto.randomUUID())).rejects.toThrow(coded('SLUICE_TUNNEL_NOT_FOUND'))
  await expect(attach('not a uuid')).rejects.toThrow(coded('SLUICE_TUNNEL_NOT_FOUND'))
})

test('a tunnel deleted while a domain is attached to it leaves no attachment', async () => {
  const { db, asAcme, acme, verified, tunnel, events } = await createWorld()
  const { id } = await verified(acme, 'app.example.com')
  const tunnelId = await tunnel(acme)

  await Promise.allSettled([
    attachCustomDomain(asAcme(), { id, tunnelId }),
    forkSystem(db.orm).transactional((em) => forgetTunnel(em, tunnelId)),
  ])

  const [row] = await forkSystem(db.orm).execute<{ tunnel_id: string | null }[]>(
    'select tunnel_id from domains.custom_domain',
  )
  expect(row?.tunnel_id).toBeNull()
  const names = (await events()).map(({ name }) => name)
  expect([[], ['domain.attached', 'domain.detached']]).toContainEqual(names)
})

test('a domain of another organization looks missing to every verb', async () => {
  const { asGlobex, acme, globex, verified, tunnel } = await createWorld()
  const { id } = await verified(acme, 'app.example.com')
  const tunnelId = await tunnel(globex)

  const missing = coded('SLUICE_DOMAIN_NOT_FOUND')
  await expect(verifyCustomDomain(asGlobex(), id)).rejects.toThrow(missing)
  await expect(attachCustomDomain(asGlobex(), { id, tunnelId })).rejects.toThrow(missing)
  await expect(detachCustomDomain(asGlobex(), id)).rejects.toThrow(missing)
  await expect(removeCustomDomain(asGlobex(), id)).rejects.toThrow(missing)
  await expect(removeCustomDomain(asGlobex(), 'not a uuid')).rejects.toThrow(missing)
})

test('who only looks, who is not in the organization, and an authtoken change nothing', async () => {
  const { contextFor, asGlobex, acme, verified } = await createWorld()
  const { id } = await verified(acme, 'app.example.com')
  const viewer = memberOf(acme, 'VIEWER')
  const token = authtokenOf(acme)
  const add = (context: ReturnType<typeof contextFor>) =>
    addCustomDomain(context, { organizationId: acme, domain: 'b.example.com' })

  await expect(add(contextFor(viewer))).rejects.toThrow(coded('SLUICE_FORBIDDEN'))
  await expect(add(contextFor(token))).rejects.toThrow(coded('SLUICE_FORBIDDEN'))
  await expect(add(asGlobex())).rejects.toThrow(coded('SLUICE_ORGANIZATION_NOT_FOUND'))
  await expect(add(contextFor(anonymous))).rejects.toThrow(coded('SLUICE_UNAUTHENTICATED'))
  const remove = (context: ReturnType<typeof contextFor>) => removeCustomDomain(context, id)
  await expect(remove(contextFor(viewer))).rejects.toThrow(coded('SLUICE_FORBIDDEN'))
  await expect(remove(contextFor(anonymous))).rejects.toThrow(coded('SLUICE_UNAUTHENTICATED'))
})
