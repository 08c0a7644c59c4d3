import { forkSystem } from '@sluice/kit/database'
import { expect, onTestFinished, test } from 'vitest'

import { CustomDomain } from './domain/custom-domain.entity.ts'
import { addCustomDomain } from './domain/custom-domain.ts'
import { openJobs } from './jobs.ts'
import { createAuthority } from './testing/certificate.ts'
import { openHttpsSite } from './testing/https-site.ts'
import { cnameTarget, createWorld } from './testing/world.ts'

const authority = createAuthority()
const hourMs = 3_600_000

async function createJobsWorld() {
  const world = await createWorld()
  const site = await openHttpsSite(authority.issue('app.example.com', { from: -10, to: 80 }))
  let aheadMs = 0
  const open = () =>
    openJobs({
      databaseUrl: world.db.url,
      cnameTarget,
      dnsServers: [world.dns.address],
      allowPrivateTargets: true,
      tlsPort: site.port,
      trustedAuthorities: authority.certificate,
      now: () => new Date(Date.now() + aheadMs),
    })
  const opened = await open()
  const { jobs } = opened
  onTestFinished(async () => {
    await opened.close()
    await site.close()
  })
  const { signal } = new AbortController()
  return {
    ...world,
    open,
    pass: (ms: number) => void (aheadMs += ms),
    recheckDns: () => jobs.recheckDns.run({}, signal),
    probeTls: () => jobs.probeTls.run({}, signal),
    jobs,
    find: (id: string) => forkSystem(world.db.orm).findOneOrFail(CustomDomain, { id }),
  }
}

test('a pending domain verifies itself once its record is set', async () => {
  const { asAcme, acme, setRecord, recheckDns, pass, find } = await createJobsWorld()
  const added = await addCustomDomain(asAcme(), { organizationId: acme, domain: 'app.example.com' })

  pass(2 * 60_000)
  await recheckDns()
  const before = await find(added.id)
  setRecord(added)
  pass(hourMs)
  await recheckDns()
  const after = await find(added.id)

  expect(before).toMatchObject({ status: 'PENDING', dnsChecks: 1, txtFound: false })
  expect(after).toMatchObject({ status: 'VERIFIED', nextDnsCheckAt: null })
})

test('a domain is not asked about before it is due, and ever less often', async () => {
  const { asAcme, acme, dns, recheckDns, pass, find } = await createJobsWorld()
  const { id } = await addCustomDomain(asAcme(), { organizationId: acme, domain: 'a.example.com' })
  await recheckDns()
  expect(dns.queries()).toBe(0)

  const waits: number[] = []
  for (let round = 0; round < 5; round += 1) {
    pass(7 * hourMs)
    await recheckDns()
    const { lastCheckedAt, nextDnsCheckAt } = await find(id)
    waits.push((nextDnsCheckAt?.getTime() ?? 0) - (lastCheckedAt?.getTime() ?? 0))
  }
  pass(31 * 24 * hourMs)
  await recheckDns()

  expect(waits).toEqual(waits.toSorted((a, b) => a - b))
  expect((await find(id)).nextDnsCheckAt).toBeNull()
})

test('the certificate of a verified domain is seen, and looked at again hours later', async () => {
  const { acme, dns, verified, probeTls, find } = await createJobsWorld()
  const { id } = await verified(acme, 'app.example.com')
  dns.a('app.example.com', '127.0.0.1')

  await probeTls()

  const seen = await find(id)
  expect(seen).toMatchObject({
    tlsStatus: 'VALID',
    tlsIssuer: 'Sluice Test Authority',
    tlsError: null,
  })
  const waitMs = (seen.nextTlsProbeAt?.getTime() ?? 0) - Date.now()
  expect(waitMs).toBeGreaterThan(4 * hourMs)
  expect(waitMs).toBeLessThan(8 * hourMs)
})

test('what is wrong with a certificate is told, and looked at again soon', async () => {
  const { acme, verified, probeTls, find } = await createJobsWorld()
  const { id } = await verified(acme, 'app.example.com')

  await probeTls()

  const seen = await find(id)
  expect(seen).toMatchObject({
    tlsStatus: 'UNREACHABLE',
    tlsError: 'the domain has no address',
    tlsExpiresAt: null,
  })
  expect((seen.nextTlsProbeAt?.getTime() ?? 0) - Date.now()).toBeLessThan(hourMs)
})

test('two workers at once look at each domain once', async () => {
  const { acme, globex, dns, verified, probeTls, open } = await createJobsWorld()
  for (const name of ['a', 'b', 'c']) await verified(acme, `${name}.example.com`)
  for (const name of ['d', 'e']) await verified(globex, `${name}.example.com`)
  const other = await open()
  onTestFinished(() => other.close())
  const before = dns.queries()

  await Promise.all([probeTls(), other.jobs.probeTls.run({}, new AbortController().signal)])

  // A probe asks for IPv4 and IPv6 addresses.
  expect(dns.queries() - before).toBe(5 * 2)
})

test('a run that is stopped records nothing, and the domain is due again', async () => {
  const { acme, verified, jobs, probeTls, pass, find } = await createJobsWorld()
  const { id } = await verified(acme, 'app.example.com')

  await jobs.probeTls.run({}, AbortSignal.abort())
  expect((await find(id)).tlsStatus).toBeNull()
  pass(10 * 60_000)
  await probeTls()

  expect((await find(id)).tlsStatus).toBe('UNREACHABLE')
})
