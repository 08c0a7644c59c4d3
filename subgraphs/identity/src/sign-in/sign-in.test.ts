import { forkSystem } from '@sluice/kit/database'
import { membershipOf } from '@sluice/kit/testing'
import { expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { authenticate } from '../authenticate/authenticate.ts'
import { Member } from '../organization/member.entity.ts'
import { Organization } from '../organization/organization.entity.ts'
import { openWorld, testPassword } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { attemptLimits } from './attempts.ts'
import { purgeSignIns } from './end-sign-ins.ts'
import { SignIn } from './sign-in.entity.ts'
import { signIn, signOut } from './sign-in.ts'
import { signUp } from './sign-up.ts'
import { signInLifeMs } from './start-sign-in.ts'

const aSignUp = { email: ' Ada@Example.Test ', password: testPassword, name: ' Ada  ' }

test('signing up makes an account, an organization that it owns, and a sign-in', async () => {
  await using world = await openWorld()
  const { context, cookie } = world.request()

  const signedIn = await signUp(context, { ...aSignUp, organizationName: 'Acme & Söhne' })

  const { principal } = await authenticate(world.deps, {
    credential: { kind: 'sign-in', token: signedIn.accessToken },
    ip: '',
  })
  const [organization] = await context.em.find(Organization, {})
  expect(signedIn.user).toMatchObject({ email: 'ada@example.test', name: 'Ada', isAdmin: false })
  expect(principal.memberships).toEqual([membershipOf(organization?.id ?? '', 'OWNER')])
  expect(organization).toMatchObject({ name: 'Acme & Söhne', slug: 'acme-sohne' })
  expect(cookie()).toMatch(/^[0-9a-f-]{36}\.0\.[\w-]{43}$/)
})

test('the same change is audited and told to the other subgraphs', async () => {
  await using world = await openWorld()
  const { context } = world.request({ ip: '192.0.2.1' })

  await signUp(context, aSignUp)

  const entries = await context.em.find(AuditEntry, {}, { orderBy: { action: 'asc' } })
  expect(entries.map(({ action, actorName, ip }) => [action, actorName, ip])).toEqual([
    ['organization.created', 'Ada', '192.0.2.1'],
    ['sign-in.started', 'Ada', '192.0.2.1'],
    ['user.signed-up', 'Ada', '192.0.2.1'],
  ])
  const events = await forkSystem(world.db.orm).execute(
    'select name, payload from identity.outbox_event',
  )
  expect(events).toMatchObject([
    { name: 'organization.created', payload: { name: 'Ada’s organization' } },
  ])
})

test('of two who sign up with one address at once, one gets the account', async () => {
  await using world = await openWorld()
  const spellings = ['ada@example.test', 'ADA@example.test ']

  const answers = await Promise.allSettled(
    spellings.map((email) => signUp(world.request().context, { ...aSignUp, email })),
  )

  const refused = answers.find((answer) => answer.status === 'rejected')
  expect(refused?.reason).toMatchObject({ code: 'SLUICE_EMAIL_TAKEN' })
  const em = forkSystem(world.db.orm)
  expect([await em.count(User), await em.count(Member), await em.count(Organization)]).toEqual([
    1, 1, 1,
  ])
})

test('organizations of one name get slugs of their own', async () => {
  await using world = await openWorld()
  const names = ['Acme', 'acme!', 'ACME']

  await Promise.all(
    names.map((organizationName, index) =>
      signUp(world.request().context, {
        ...aSignUp,
        email: `${index}@example.test`,
        organizationName,
      }),
    ),
  )

  const found = await forkSystem(world.db.orm).find(Organization, {})
  expect(found.map(({ slug }) => slug).toSorted()).toEqual([
    'acme',
    expect.stringMatching(/^acme-[0-9a-z]{4}$/),
    expect.stringMatching(/^acme-[0-9a-z]{4}$/),
  ])
})

test.for([
  ['an address without a domain', { email: 'ada' }],
  ['an address with two at signs', { email: 'ada@x@example.test' }],
  ['an address of two lines', { email: 'ada@example.test\nbcc: x@example.test' }],
  ['a short password', { password: 'short' }],
  ['a password longer than is hashed', { password: 'x'.repeat(201) }],
  ['the address as password', { password: 'ADA@example.test' }],
  ['an empty name', { name: ' ' }],
  ['a name that turns text around', { name: 'Ada \u202Etxt' }],
  ['a long name', { name: 'x'.repeat(101) }],
] as const)('%s makes no account', async ([, wrong]) => {
  await using world = await openWorld()

  const answer = signUp(world.request().context, { ...aSignUp, ...wrong })

  await expect(answer).rejects.toMatchObject({ code: 'SLUICE_INPUT_INVALID' })
  expect(world.hashes()).toBe(0)
})

test('email and password together sign in, however the email is spelled', async () => {
  await using world = await openWorld()
  const ada = await world.person()

  const { user } = await signIn(
    world.request().context,
    ` ${ada.email.toUpperCase()}`,
    testPassword,
  )

  expect(user.id).toBe(ada.userId)
})

test('an unknown email, a wrong password and an impossible one are told apart by nothing', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  // The hash that stands for nobody is made once.
  await signIn(world.request().context, 'warm@example.test', 'up').catch(() => undefined)
  const attempts = [
    ['nobody@example.test', testPassword],
    [ada.email, 'wrong password'],
    [ada.email, 'x'.repeat(100_000)],
    ['', ''],
  ] as const

  const seen = []
  for (const [email, password] of attempts) {
    const { context } = world.request()
    const before = world.hashes()
    world.db.takeStatements()
    const error: unknown = await signIn(context, email, password).catch((reason: unknown) => reason)
    seen.push({ error, hashes: world.hashes() - before, sql: world.db.takeStatements().length })
  }

  const error = expect.objectContaining({ code: 'SLUICE_SIGN_IN_FAILED', details: {} })
  expect(seen).toEqual(attempts.map(() => ({ error, hashes: 1, sql: 1 })))
})

test('guessing one account from one address is stopped, and the right password does not help then', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { attemptsMax } = attemptLimits.signInByEmailAndIp
  const guess = (password: string, ip: string) =>
    signIn(world.request({ ip }).context, ada.email, password)

  for (let tried = 0; tried < attemptsMax; tried += 1) {
    await expect(guess('wrong password', '192.0.2.7')).rejects.toMatchObject({
      code: 'SLUICE_SIGN_IN_FAILED',
    })
  }

  await expect(guess(testPassword, '192.0.2.7')).rejects.toMatchObject({
    code: 'SLUICE_RATE_LIMITED',
    details: { retryAfterSeconds: expect.any(Number) },
  })
  await expect(guess(testPassword, '192.0.2.8')).resolves.toMatchObject({
    user: { id: ada.userId },
  })
})

test('one address that guesses through many accounts is stopped', async () => {
  await using world = await openWorld()
  const { attemptsMax } = attemptLimits.signInByIp
  const guess = (index: number) =>
    signIn(world.request({ ip: '192.0.2.9' }).context, `${index}@example.test`, 'a guess')

  const codes = await Promise.all(
    Array.from({ length: attemptsMax + 20 }, (_, index) =>
      guess(index).catch((error: { code: string }) => error.code),
    ),
  )

  expect(codes.filter((code) => code === 'SLUICE_SIGN_IN_FAILED').length).toBeLessThanOrEqual(
    attemptsMax,
  )
  expect(codes).toContain('SLUICE_RATE_LIMITED')
})

test('signing out ends the sign-in once, takes the cookie away and tells the gateways', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { accessToken } = await signIn(world.request().context, ada.email, testPassword)
  const credential = { kind: 'sign-in', token: accessToken } as const
  const { principal } = await authenticate(world.deps, { credential, ip: '' })
  const { context, cookie } = world.request({ principal })

  await signOut(context)
  await signOut(world.request({ principal }).context)

  expect(cookie()).toBe('')
  expect(world.revoked).toEqual([`sign-in:${principal.signInId}`])
  await expect(authenticate(world.deps, { credential, ip: '' })).rejects.toMatchObject({
    code: 'SLUICE_UNAUTHENTICATED',
  })
  const ended = await (await ada.context()).em.count(AuditEntry, { action: 'sign-in.ended' })
  expect(ended).toBe(1)
})

test('signing out works with the cookie alone, after the access token has expired', async () => {
  await using world = await openWorld()
  const ada = await world.person()

  await signOut(world.request({ refreshToken: ada.refreshToken }).context)

  expect((await ada.context()).principal.kind).toBe('anonymous')
})

test('a made-up cookie signs nobody out', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const [signInId] = ada.refreshToken.split('.')

  await signOut(world.request({ refreshToken: `${signInId}.0.${'A'.repeat(43)}` }).context)

  expect((await ada.context()).principal.kind).toBe('user')
})

test('sign-ins that ended long ago are deleted, others stay', async () => {
  await using world = await openWorld()
  await world.person()
  world.pass(signInLifeMs)
  await world.person()

  const purged = await purgeSignIns(forkSystem(world.db.orm), world.deps.now())

  expect([purged, await forkSystem(world.db.orm).count(SignIn)]).toEqual([1, 1])
})
