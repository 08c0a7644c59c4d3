import { verify } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'

import { forkSystem } from '@sluice/kit/database'
import { expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import type { Person } from '../testing.ts'
import { configureSaml, setEnforcement } from './connection.ts'
import { finishSaml, takeSamlAnswer } from './finish-sso.ts'
import { openSamlKeys } from './saml-key.ts'
import { findOffer, leave, startTest } from './start-sso.ts'
import { openSsoWorld, ownDomain, type SsoWorld } from './testing-company.ts'
import { createSamlProvider, type ResponseOptions } from './testing-saml.ts'

const interrupted = '/sign-in?problem=SLUICE_SSO_INTERRUPTED'
const refused = '/sign-in?problem=SLUICE_SSO_ANSWER_REFUSED'

/** An organization with a proven domain whose people sign in at a SAML provider. */
async function openSamlCompany(sso: SsoWorld, domain: string) {
  const { world } = sso
  const provider = await createSamlProvider()
  const owner = await world.person('Olga')
  const { organizationId } = owner
  await ownDomain(sso, owner, domain)
  const metadata = provider.metadata
  const { id } = await configureSaml(await owner.context(), { organizationId, metadata })
  const addresses = world.deps.sso.samlAddresses(id)

  /** A browser that has left: what it was given, and what the provider would answer. */
  async function go(startPath: string, browserOf?: Person) {
    const query = new URL(startPath, 'http://console.invalid').searchParams
    const { location, cookie } = await leave(
      world.request().context,
      query,
      browserOf?.refreshToken ?? null,
    )
    const url = new URL(location)
    const state = url.searchParams.get('RelayState') ?? ''
    const packed = Buffer.from(url.searchParams.get('SAMLRequest') ?? '', 'base64')
    const [, requestId = ''] = / ID="([^"]+)"/.exec(inflateRawSync(packed).toString()) ?? []
    const [, browserSecret = null] = /^[^=]+=([^;]*)/.exec(cookie) ?? []
    const answer = (changed: Partial<ResponseOptions> = {}) =>
      provider.answer({ requestId, ...addresses, email: `grace@${domain}`, ...changed })
    return { url, state, browserSecret, requestId, answer }
  }
  const start = async () =>
    (await findOffer(world.request().context, { email: `x@${domain}`, returnTo: '/o/acme' }))
      ?.startPath ?? ''

  const bring = (state: string, answer: string) =>
    takeSamlAnswer(
      world.request().context,
      new URLSearchParams({ RelayState: state, SAMLResponse: answer }),
    )
  async function finish(path: string, browserSecret: string | null) {
    const answer = new URL(path, 'http://console.invalid').searchParams.get('answer') ?? ''
    const { context, cookie } = world.request()
    const to = await finishSaml(context, answer, browserSecret)
    return { path: to, cookie: cookie(), userId: context.principal.userId }
  }

  const trial = await go(
    await startTest(await owner.context(), organizationId, '/o/acme/sso'),
    owner,
  )
  const waiting = await bring(trial.state, trial.answer())
  expect(await finish(waiting, trial.browserSecret)).toMatchObject({
    path: '/o/acme/sso',
    userId: null,
  })
  await setEnforcement(await owner.context(), organizationId, 'OPTIONAL')
  return { owner, organizationId, connectionId: id, provider, go, start, bring, finish }
}

test('people come in with a SAML answer, once, in the browser that asked', async () => {
  await using sso = await openSsoWorld()
  const { start, go, bring, finish } = await openSamlCompany(sso, 'acme.example.com')

  const left = await go(await start())
  const answer = left.answer()
  const waiting = await bring(left.state, answer)
  expect(await finish(waiting, 'of-another-browser'.padEnd(43, 'x'))).toMatchObject({
    path: interrupted,
    userId: null,
  })
  // It was used up by the attempt.
  expect((await finish(waiting, left.browserSecret)).path).toBe(interrupted)
  expect(await bring(left.state, answer)).toBe(interrupted)

  const again = await go(await start())
  const done = await finish(await bring(again.state, again.answer()), again.browserSecret)
  expect(done).toMatchObject({ path: '/o/acme', userId: expect.any(String) })
  expect(done.cookie).not.toBe('')
})

test('an assertion is taken once, even where its request were open again', async () => {
  await using sso = await openSsoWorld()
  const { world } = sso
  const { organizationId, start, go, bring } = await openSamlCompany(sso, 'acme.example.com')
  const first = await go(await start())
  const assertionId = '_one-assertion'
  expect(await bring(first.state, first.answer({ assertionId }))).toContain('/auth/saml/finish')

  const second = await go(await start())
  expect(await bring(second.state, second.answer({ assertionId }))).toBe(refused)

  const em = forkSystem(world.db.orm)
  const [entry] = await em.find(AuditEntry, { organizationId, action: 'sso.sign-in-refused' })
  expect(entry?.details).toBe('the assertion was used before')
})

test('nobody comes in with an answer that was not asked for', async () => {
  await using sso = await openSsoWorld()
  const company = await openSamlCompany(sso, 'acme.example.com')
  const rival = await openSamlCompany(sso, 'globex.example.com')
  const { start, go, bring } = company

  const left = await go(await start())
  // Without a state there is no request: identity providers do not begin.
  expect(await bring('', left.answer())).toBe(interrupted)
  expect(await bring('x'.repeat(43), left.answer())).toBe(interrupted)
  // The answer of one organization's provider, brought to the request of another.
  const theirs = await rival.go(await rival.start())
  expect(await bring(left.state, theirs.answer())).toBe(refused)
  const posing = await go(await start())
  const answer = rival.provider.answer({
    requestId: posing.requestId,
    ...sso.world.deps.sso.samlAddresses(crypto.randomUUID()),
    issuer: company.provider.issuer,
  })
  expect(await bring(posing.state, answer)).toBe(refused)
})

test('where a provider wants it, requests are signed and answers encrypted, and people come in all the same', async () => {
  await using sso = await openSsoWorld()
  const { orm, sealer } = sso.world.deps
  const company = await openSamlCompany(sso, 'acme.example.com')
  const { owner, organizationId, provider, connectionId, start, go, bring, finish } = company
  const input = { organizationId, metadata: provider.metadata, signsRequests: true }
  await configureSaml(await owner.context(), input)

  const left = await go(await start())
  const { certificates } = await openSamlKeys(orm, sealer, { id: connectionId })
  const [certificate = ''] = certificates
  const { url } = left
  const signed = url.search.slice(1, url.search.indexOf('&Signature='))
  const signature = Buffer.from(url.searchParams.get('Signature') ?? '', 'base64')
  expect(url.searchParams.get('SigAlg')).toContain('rsa-sha256')
  expect(verify('sha256', Buffer.from(signed), certificate, signature)).toBe(true)

  const answer = left.answer({ encrypted: { certificate } })
  const done = await finish(await bring(left.state, answer), left.browserSecret)
  expect(done).toMatchObject({ path: '/o/acme', userId: expect.any(String) })
})

test('a domain that the organization has not proven lets nobody in by SAML either', async () => {
  await using sso = await openSsoWorld()
  const { start, go, bring, finish } = await openSamlCompany(sso, 'acme.example.com')
  const left = await go(await start())

  const answer = left.answer({ email: 'ceo@globex.example.com' })
  const done = await finish(await bring(left.state, answer), left.browserSecret)

  expect(done).toMatchObject({ path: '/sign-in?problem=SLUICE_SSO_EMAIL_FOREIGN', userId: null })
})
