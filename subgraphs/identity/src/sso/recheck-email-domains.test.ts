import { forkSystem } from '@sluice/kit/database'
import { txtNameOf, txtValueOf } from '@sluice/kit/dns-proof'
import { silentLog } from '@sluice/kit/log'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { composeMail } from '../mail/compose-mail.ts'
import { Mail } from '../mail/mail.entity.ts'
import type { Person } from '../testing.ts'
import { EmailDomain } from './email-domain.entity.ts'
import {
  addEmailDomain,
  findEmailDomains,
  organizationOfEmail,
  removeEmailDomain,
  verifyEmailDomain,
} from './email-domain.ts'
import {
  emailDomainGraceMs,
  noteProof,
  openEmailDomainChecks,
  recheckEmailDomains,
} from './recheck-email-domains.ts'
import { openSsoWorld, ownDomain, type SsoWorld } from './testing-company.ts'

const dayMs = 24 * 60 * 60_000

let sso: SsoWorld
let owner: Person
let domain: string
let id: string
beforeAll(async () => {
  sso = await openSsoWorld()
})
afterAll(() => sso[Symbol.asyncDispose]())
beforeEach(async () => {
  sso.dns.clear()
  await forkSystem(sso.world.db.orm).nativeDelete(EmailDomain, {})
  owner = await sso.world.person('Olga')
  domain = `${crypto.randomUUID()}.example.com`
  id = await ownDomain(sso, owner, domain)
})

const system = () => forkSystem(sso.world.db.orm)
const deps = () => {
  const { orm, now, wakeMail } = sso.world.deps
  return { orm, now, wakeMail, log: silentLog, dns: { dnsServers: [sso.dns.address] } }
}
const recheck = () => recheckEmailDomains(deps())
const stored = () => system().findOneOrFail(EmailDomain, { id })
const isOurs = async () =>
  (await organizationOfEmail(system(), `ada@${domain}`)) === owner.organizationId
async function told() {
  const { organizationId } = owner
  const mails = await system().find(Mail, { aboutOrganizationId: organizationId })
  const action = /^email-domain\.(missing|found|lost)$/
  const acts = await system().find(AuditEntry, { organizationId, action })
  return {
    mails: mails.map(({ kind, address }) => `${kind} ${address}`).toSorted(),
    acts: acts.map((one) => one.action).toSorted(),
  }
}

test('a domain whose record is gone stays proven for the grace, and is lost after it', async () => {
  sso.dns.clear()
  await recheck()
  expect(await isOurs()).toBe(true)
  expect(await stored()).toMatchObject({ lastError: expect.stringContaining('no TXT record') })

  sso.world.pass(emailDomainGraceMs - dayMs)
  await recheck()
  expect(await isOurs()).toBe(true)
  const missing = `email-domain-missing ${owner.email}`
  expect(await told()).toEqual({ mails: [missing], acts: ['email-domain.missing'] })

  sso.world.pass(dayMs)
  await recheck()
  expect(await isOurs()).toBe(false)
  expect(await stored()).toMatchObject({ status: 'PENDING', missingSince: null })
  expect(await told()).toEqual({
    mails: [`email-domain-lost ${owner.email}`, missing],
    acts: ['email-domain.lost', 'email-domain.missing'],
  })

  // It is not asked about any more, until somebody does.
  sso.world.pass(dayMs)
  await recheck()
  expect((await told()).acts).toHaveLength(2)
})

test('a record that comes back in time ends the grace, and the next one begins anew', async () => {
  const { token } = await stored()
  sso.dns.clear()
  await recheck()
  sso.world.pass(emailDomainGraceMs - dayMs)
  sso.dns.txt(txtNameOf(domain), txtValueOf(token))
  await recheck()
  expect(await stored()).toMatchObject({ status: 'VERIFIED', missingSince: null, lastError: null })

  sso.dns.clear()
  sso.world.pass(2 * dayMs)
  await recheck()

  expect(await isOurs()).toBe(true)
  expect((await told()).acts).toEqual([
    'email-domain.found',
    'email-domain.missing',
    'email-domain.missing',
  ])
})

test('DNS that is silent takes nothing, however long', async () => {
  sso.dns.fail(txtNameOf(domain))
  for (let days = 0; days < 2 * emailDomainGraceMs; days += emailDomainGraceMs) {
    await recheck()
    sso.world.pass(emailDomainGraceMs)
  }
  await recheck()

  expect(await isOurs()).toBe(true)
  expect(await told()).toEqual({ mails: [], acts: [] })
})

test('asking by hand begins the grace, and does not end it early', async () => {
  sso.dns.clear()
  const asked = await verifyEmailDomain(await owner.context(), id)
  expect(asked).toMatchObject({ status: 'VERIFIED', missingSince: sso.world.deps.now() })
  expect((await told()).acts).toEqual(['email-domain.missing'])

  await verifyEmailDomain(await owner.context(), id)
  expect(await isOurs()).toBe(true)
  expect((await told()).acts).toHaveLength(1)
})

test('during the grace another organization that proves the domain gets it at once', async () => {
  sso.dns.clear()
  await recheck()
  const rival = await sso.world.person('Rita')
  const added = await addEmailDomain(await rival.context(), rival.organizationId, domain)
  sso.dns.txt(txtNameOf(domain), txtValueOf(added.token))

  await verifyEmailDomain(await rival.context(), added.id)

  expect(await isOurs()).toBe(false)
  expect(await organizationOfEmail(system(), `ada@${domain}`)).toBe(rival.organizationId)
  const [lost] = await findEmailDomains(await owner.context(), owner.organizationId)
  expect(lost).toMatchObject({ status: 'PENDING', missingSince: null })
  expect((await told()).acts).toEqual(['email-domain.lost', 'email-domain.missing'])
})

test('of several replicas one tells, and a domain that was removed meanwhile stays removed', async () => {
  sso.dns.clear()
  await Promise.all([recheck(), recheck(), recheck()])
  expect((await told()).acts).toEqual(['email-domain.missing'])

  const before = await stored()
  await removeEmailDomain(await owner.context(), id)
  await noteProof(deps(), before, { txtFound: false, problem: 'gone' })
  expect(await system().count(EmailDomain, { id })).toBe(0)
  expect((await told()).acts).toEqual(['email-domain.missing'])
})

test('the mails hold no text of anybody, and lead to the page', () => {
  for (const kind of ['email-domain-missing', 'email-domain-lost'] as const) {
    const { text } = composeMail(kind, {
      link: null,
      consoleOrigin: 'https://console.example.test',
      address: 'a@example.com',
      ip: '',
      at: new Date(),
      slug: 'acme',
    })
    expect(text).toContain('https://console.example.test/o/acme/sso')
    expect(text).toContain(`${emailDomainGraceMs / dayMs} days`)
  }
})

test('closing ends the checks', async () => {
  await expect(openEmailDomainChecks(deps()).close()).resolves.toBeUndefined()
})
