import { expect, test } from 'vitest'

import {
  addEmailDomain,
  findEmailDomains,
  removeEmailDomain,
  verifyEmailDomain,
} from './email-domain.ts'
import { findOffer } from './start-sso.ts'
import { openSsoWorld, ownDomain } from './testing-company.ts'

const txtOf = (domain: string) => `_sluice-challenge.${domain}`

test('a domain is proven by the TXT record that was asked for, and no other', async () => {
  await using sso = await openSsoWorld()
  const { world, dns } = sso
  const owner = await world.person()
  const { id, token, status } = await addEmailDomain(
    await owner.context(),
    owner.organizationId,
    ' Acme.Example.COM. ',
  )
  expect(status).toBe('PENDING')

  const early = await verifyEmailDomain(await owner.context(), id)
  expect(early).toMatchObject({ status: 'PENDING', domain: 'acme.example.com' })
  expect(early.lastError).toContain('there is no TXT record')
  dns.txt(txtOf('acme.example.com'), 'sluice-verify=guessed')
  expect((await verifyEmailDomain(await owner.context(), id)).status).toBe('PENDING')
  dns.txt(txtOf('acme.example.com'), `sluice-verify=${token}`)
  expect((await verifyEmailDomain(await owner.context(), id)).status).toBe('VERIFIED')
})

test('a domain is proven for one organization: whoever holds it in DNS', async () => {
  await using sso = await openSsoWorld()
  const { world, dns } = sso
  const first = await world.person('First')
  const second = await world.person('Second')
  const domain = 'acme.example.com'
  await ownDomain(sso, first, domain)
  const rival = await addEmailDomain(await second.context(), second.organizationId, domain)
  dns.txt(txtOf(domain), `sluice-verify=${rival.token}`)

  // Both records are there: who was first stays.
  await expect(verifyEmailDomain(await second.context(), rival.id)).rejects.toMatchObject({
    code: 'SLUICE_DOMAIN_TAKEN',
  })
  // DNS that is silent proves nothing.
  dns.fail(txtOf(domain))
  expect((await verifyEmailDomain(await second.context(), rival.id)).status).toBe('PENDING')
  const [held] = await findEmailDomains(await first.context(), first.organizationId)
  expect(held?.status).toBe('VERIFIED')
})

test('a proof that is gone gives way to a new one', async () => {
  await using sso = await openSsoWorld()
  const { world, dns } = sso
  const first = await world.person('First')
  const second = await world.person('Second')
  const domain = 'acme.example.com'
  await ownDomain(sso, first, domain)
  const rival = await addEmailDomain(await second.context(), second.organizationId, domain)
  dns.clear()
  dns.txt(txtOf(domain), `sluice-verify=${rival.token}`)

  expect((await verifyEmailDomain(await second.context(), rival.id)).status).toBe('VERIFIED')

  const [lost] = await findEmailDomains(await first.context(), first.organizationId)
  expect(lost).toMatchObject({ status: 'PENDING', lastError: expect.stringContaining('another') })
})

test('of two organizations that prove a domain at once, one gets it', async () => {
  await using sso = await openSsoWorld()
  const { world, dns } = sso
  const people = [await world.person('First'), await world.person('Second')]
  const ids = await Promise.all(
    people.map(async (one) => {
      const added = await addEmailDomain(
        await one.context(),
        one.organizationId,
        'acme.example.com',
      )
      dns.txt(txtOf('acme.example.com'), `sluice-verify=${added.token}`)
      return added.id
    }),
  )

  const answers = await Promise.allSettled(
    people.map(async (one, index) => verifyEmailDomain(await one.context(), ids[index] ?? '')),
  )

  expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
})

test.for(['localhost', 'com', 'co.uk', '127.0.0.1', 'a@b.example.com', 'console.local', ''])(
  '%s is nobody’s email domain',
  async (domain) => {
    await using sso = await openSsoWorld()
    const owner = await sso.world.person()

    const added = addEmailDomain(await owner.context(), owner.organizationId, domain)
    await expect(added).rejects.toMatchObject({ code: 'SLUICE_DOMAIN_INVALID' })
  },
)

test('another organization’s domain is missing, and a proven one says nothing about accounts', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const owner = await world.person()
  const stranger = await world.person('Sam')
  const id = await ownDomain(sso, owner, 'acme.example.com')

  const missing = { code: 'SLUICE_DOMAIN_NOT_FOUND' }
  await expect(verifyEmailDomain(await stranger.context(), id)).rejects.toMatchObject(missing)
  await expect(removeEmailDomain(await stranger.context(), id)).rejects.toMatchObject(missing)
  await expect(
    addEmailDomain(await stranger.context(), owner.organizationId, 'x.example.com'),
  ).rejects.toMatchObject({ code: 'SLUICE_ORGANIZATION_NOT_FOUND' })
  // There is no single sign-on: whoever asks hears the same for every address.
  const offers = [owner.email, 'nobody@acme.example.com', 'x@unknown.example.com', 'rubbish', '']
  for (const email of offers) {
    expect(await findOffer(world.request().context, { email })).toBeNull()
  }
  expect(await removeEmailDomain(await owner.context(), id)).toBe(id)
})
