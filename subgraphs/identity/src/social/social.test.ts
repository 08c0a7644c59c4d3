import { forkSystem } from '@sluice/kit/database'
import { internalHeader } from '@sluice/kit/internal-token'
import { anonymous } from '@sluice/kit/principal'
import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { proofLifeMs } from '../account/assert-proved.ts'
import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { Mail } from '../mail/mail.entity.ts'
import { confirmSecondFactor, startSecondFactor } from '../second-factor/second-factor.ts'
import { finishSignIn } from '../sign-in/finish-sign-in.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { signIn } from '../sign-in/sign-in.ts'
import { openServer } from '../testing-server.ts'
import { openWorld, testPassword, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { finishSocial } from './finish-social.ts'
import { returnPathOf } from './return-path.ts'
import type { SocialProviderName } from './social-link.entity.ts'
import { findSocialLinks, unlinkSocial } from './social-links.ts'
import { socialLifeMs } from './social.ts'
import { startSocialLink, startSocialProof, startSocialSignIn } from './start-social.ts'
import { openProviders, type Elsewhere, type TestProviders } from './testing-providers.ts'

let providers: TestProviders
beforeAll(async () => {
  providers = await openProviders()
})
afterAll(() => providers[Symbol.asyncDispose]())

const openSocialWorld = () => openWorld({ social: providers.options })

const grace = (): Elsewhere => ({
  login: `grace-${crypto.randomUUID()}`,
  email: `grace-${crypto.randomUUID()}@example.test`,
  isVerified: true,
})

/** A browser that left for a provider and has come back with its answer. */
async function leave(
  world: World,
  provider: SocialProviderName,
  who: Elsewhere,
  change: (address: URL) => void = () => undefined,
) {
  const { context, cookie } = world.request()
  const address = new URL(await startSocialSignIn(context, provider, '/o/acme?tab=1'))
  change(address)
  const back = await providers.visit(address.href, who)
  return { provider, query: back.searchParams, browserSecret: cookie() }
}

async function finish(world: World, callback: Parameters<typeof finishSocial>[1]) {
  const { context, cookie } = world.request()
  const path = await finishSocial(context, callback)
  return { path, cookie: cookie(), userId: context.principal.userId }
}

const failed = { path: '/sign-in?problem=SLUICE_SOCIAL_FAILED', cookie: '', userId: null }

test.for(['google', 'github'] as const)(
  'a verified address at %s makes an account, which the same person enters again',
  async (provider) => {
    await using world = await openSocialWorld()
    const who = grace()

    const first = await finish(world, await leave(world, provider, who))
    // Addresses elsewhere change; the subject does not.
    const again = { ...who, email: 'renamed@example.test' }
    const second = await finish(world, await leave(world, provider, again))

    expect(first.path).toBe('/o/acme?tab=1')
    expect(first.cookie).toMatch(/^[0-9a-f-]{36}\.0\.[\w-]{43}$/)
    expect(second.userId).toBe(first.userId)
    const user = await forkSystem(world.db.orm).findOneOrFail(User, { id: first.userId ?? '' })
    expect(user).toMatchObject({ email: who.email, passwordHash: null })
    expect(user.emailVerifiedAt).not.toBeNull()
    const started = await forkSystem(world.db.orm).find(AuditEntry, { action: 'sign-in.started' })
    const label = provider === 'google' ? 'with Google' : 'with GitHub'
    expect(started.map(({ details }) => details)).toEqual([label, label])
  },
)

test.for(['google', 'github'] as const)(
  'an address at %s that nobody has verified opens and makes nothing',
  async (provider) => {
    await using world = await openSocialWorld()
    const ada = await world.person()
    const thief = { ...grace(), email: ada.email, isVerified: false }

    const outcomes = [
      await finish(world, await leave(world, provider, thief)),
      await finish(world, await leave(world, provider, { ...grace(), isVerified: false })),
    ]

    expect(outcomes.map(({ path }) => path)).toEqual(
      outcomes.map(() => '/sign-in?problem=SLUICE_SOCIAL_EMAIL_UNVERIFIED'),
    )
    expect(outcomes.map(({ cookie }) => cookie)).toEqual(['', ''])
  },
)

test('even a verified address opens no account that was not linked by its owner', async () => {
  await using world = await openSocialWorld()
  const ada = await world.person()
  const who = { ...grace(), email: ada.email }

  const before = await finish(world, await leave(world, 'google', who))
  const linked = await linkTo(world, ada, who)
  const after = await finish(world, await leave(world, 'google', who))

  expect(before).toMatchObject({ path: '/sign-in?problem=SLUICE_SOCIAL_EMAIL_KNOWN', cookie: '' })
  expect(linked).toBe('/o/acme/security')
  expect(after).toMatchObject({ path: '/o/acme?tab=1', userId: ada.userId })
  expect(await forkSystem(world.db.orm).count(Mail, { kind: 'social-linked' })).toBe(1)
})

async function linkTo(world: World, person: Person, who: Elsewhere): Promise<string> {
  const asked = world.request({ principal: (await person.context()).principal })
  const address = await startSocialLink(asked.context, 'google', '/o/acme/security')
  const { searchParams } = await providers.visit(address, who)
  const callback = {
    provider: 'google',
    query: searchParams,
    browserSecret: asked.cookie(),
  } as const
  return (await finish(world, callback)).path
}

test('the state of an attempt is good once, for its browser and its provider alone', async () => {
  await using world = await openSocialWorld()
  const mine = await leave(world, 'google', grace())
  const other = await leave(world, 'google', grace())
  const third = await leave(world, 'google', grace())
  const late = await leave(world, 'google', grace())

  const outcomes = [
    await finish(world, { ...other, browserSecret: mine.browserSecret }),
    // It was used up by that.
    await finish(world, other),
    await finish(world, { ...third, browserSecret: null }),
    await finish(world, {
      ...mine,
      query: new URLSearchParams({ ...fieldsOf(mine.query), state: 'x' }),
    }),
    await finish(world, { ...(await leave(world, 'github', grace())), provider: 'google' }),
  ]
  const right = await finish(world, mine)
  outcomes.push(await finish(world, mine))
  world.pass(socialLifeMs + 1)
  outcomes.push(await finish(world, late))

  expect(outcomes).toEqual(outcomes.map(() => failed))
  expect(right.path).toBe('/o/acme?tab=1')
})

const fieldsOf = (query: URLSearchParams) => Object.fromEntries(query)

test('a code answers the attempt that it was made for: verifier, nonce and issuer', async () => {
  await using world = await openSocialWorld()
  const code = (await leave(world, 'google', grace())).query.get('code') ?? ''
  const mine = await leave(world, 'google', grace())
  const githubCode = (await leave(world, 'github', grace())).query.get('code') ?? ''
  const atGithub = await leave(world, 'github', grace())
  const mixedUp = await leave(world, 'google', grace())

  const outcomes = [
    // The code of another’s attempt, put into one’s own.
    await finish(world, { ...mine, query: new URLSearchParams({ ...fieldsOf(mine.query), code }) }),
    await finish(world, {
      ...atGithub,
      query: new URLSearchParams({ ...fieldsOf(atGithub.query), code: githubCode }),
    }),
    await finish(
      world,
      await leave(world, 'google', grace(), ({ searchParams }) => searchParams.set('nonce', 'n')),
    ),
    await finish(world, {
      ...mixedUp,
      query: new URLSearchParams({ ...fieldsOf(mixedUp.query), iss: 'https://evil.example' }),
    }),
  ]

  expect(outcomes).toEqual(outcomes.map(() => failed))
})

test('who calls it off at the provider is told so', async () => {
  await using world = await openSocialWorld()
  const { query, ...callback } = await leave(world, 'github', grace())
  const declined = new URLSearchParams({ state: query.get('state') ?? '', error: 'access_denied' })

  const { path } = await finish(world, { ...callback, query: declined })

  expect(path).toBe('/sign-in?problem=SLUICE_SOCIAL_DECLINED')
})

test('a second factor is asked for behind the provider, too', async () => {
  await using world = await openSocialWorld()
  const ada = await world.person()
  const who = grace()
  await linkTo(world, ada, who)
  const { secret } = await startSecondFactor(await ada.context())
  const totp = new TOTP({ secret: Secret.fromBase32(secret) })
  const codeNow = () => totp.generate({ timestamp: world.deps.now().getTime() })
  await confirmSecondFactor(await ada.context(), codeNow())
  world.pass(60_000)

  const { path, cookie } = await finish(world, await leave(world, 'google', who))
  const ticket = path.split('#')[1] ?? ''
  const wrong = await finishSignIn(world.request().context, ticket, '000000').catch(codeOf)
  const { context } = world.request()
  const { user } = await finishSignIn(context, ticket, codeNow())
  const again = await finishSignIn(world.request().context, ticket, codeNow()).catch(codeOf)

  expect(path).toMatch(/^\/sign-in\/code\?to=%2Fo%2Facme%3Ftab%3D1#[\w-]{43}$/)
  expect([cookie, wrong, user.id]).toEqual(['', 'SLUICE_CODE_WRONG', ada.userId])
  expect(again).toBe('SLUICE_TICKET_INVALID')
})

const codeOf = (error: { code: string }) => error.code

test('linking takes a fresh proof and a sign-in that still goes on, and one account there opens one here', async () => {
  await using world = await openSocialWorld()
  const [ada, bob] = [await world.person(), await world.person('Bob')]
  const who = grace()
  await linkTo(world, ada, who)
  const asked = world.request({ principal: (await bob.context()).principal })
  const address = await startSocialLink(asked.context, 'google', '/o/acme/security')
  const { searchParams: query } = await providers.visit(address, grace())
  await forkSystem(world.db.orm).nativeUpdate(
    SignIn,
    { userId: bob.userId },
    { endedAt: new Date() },
  )

  const ended = await finish(world, { provider: 'google', query, browserSecret: asked.cookie() })
  const { context } = world.request()
  await signIn(context, bob.email, testPassword)
  const bobAgain = { ...bob, context: async () => context }
  const taken = await linkTo(world, bobAgain, who)
  world.pass(proofLifeMs + 1)
  const unproved = await linkTo(world, bobAgain, grace()).catch(codeOf)

  expect(ended.path).toBe('/o/acme/security?problem=SLUICE_SOCIAL_FAILED')
  expect(taken).toBe('/o/acme/security?problem=SLUICE_SOCIAL_TAKEN')
  expect(unproved).toBe('SLUICE_REAUTHENTICATION_NEEDED')
})

test('a linked account proves that it is them, another one does not', async () => {
  await using world = await openSocialWorld()
  const ada = await world.person()
  const who = grace()
  await linkTo(world, ada, who)
  world.pass(proofLifeMs + 1)
  const prove = async (as: Elsewhere) => {
    const asked = world.request({ principal: (await ada.context()).principal })
    const address = await startSocialProof(asked.context, 'google', '/o/acme/security', null)
    const { searchParams: query } = await providers.visit(address, as)
    return finish(world, { provider: 'google', query, browserSecret: asked.cookie() })
  }

  const stranger = await prove(grace())
  const before = await linkTo(world, ada, grace()).catch(codeOf)
  const own = await prove(who)

  expect(stranger.path).toBe('/o/acme/security?problem=SLUICE_SOCIAL_NOT_LINKED')
  expect(before).toBe('SLUICE_REAUTHENTICATION_NEEDED')
  expect(own.path).toBe('/o/acme/security')
  expect(await linkTo(world, ada, grace())).toBe('/o/acme/security')
})

test('the last way in stays, and nobody removes what is another’s', async () => {
  await using world = await openSocialWorld()
  const ada = await world.person()
  const signedUp = world.request()
  await finishSocial(signedUp.context, await leave(world, 'google', grace()))
  const [only] = await findSocialLinks(signedUp.context)
  await linkTo(world, ada, grace())
  const [adas] = await findSocialLinks(await ada.context())

  const last = await unlinkSocial(signedUp.context, only?.id ?? '').catch(codeOf)
  const foreign = await unlinkSocial(signedUp.context, adas?.id ?? '').catch(codeOf)
  await unlinkSocial(await ada.context(), adas?.id ?? '')

  expect([last, foreign]).toEqual(['SLUICE_LAST_WAY_IN', 'SLUICE_SOCIAL_NOT_LINKED'])
  expect(await findSocialLinks(signedUp.context)).toHaveLength(1)
  expect(await findSocialLinks(await ada.context())).toEqual([])
})

test.for([
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  '/.//evil.example',
  '/a/..//evil.example',
  'https://evil.example/',
  'o/acme',
  '',
  `/${'a'.repeat(1_000)}`,
])('the way back never leads elsewhere: %j', (path) => {
  expect(() => returnPathOf(path, 'https://console.example')).toThrow('The input is not valid')
})

test('through the server: the callback sets the refresh cookie, and takes the other one away', async () => {
  const consoleOrigin = 'https://console.example'
  const redirected = { ...providers.options, google: null }
  await using server = await openServer({ consoleOrigin, social: redirected })
  const started = await server.graph(
    'mutation { startSocialSignIn(provider: GITHUB, returnTo: "/o/acme") }',
  )
  const cookie = started.setCookie ?? ''
  const address = new URL(started.data?.['startSocialSignIn'] as unknown as string)
  expect(address.searchParams.get('redirect_uri')).toBe(`${consoleOrigin}/auth/github/callback`)
  // The browser of the test comes back to where the other tests are; the rest of the answer is the same.
  address.searchParams.set('redirect_uri', 'http://localhost:4000/auth/github/callback')
  const { search } = await providers.visit(address.href, grace())
  const callback = async (headers: Record<string, string>) =>
    fetch(`${server.url}/auth/github/callback${search}`, { redirect: 'manual', headers })

  const outside = await callback({ cookie })
  const internal = { [internalHeader]: await server.headerFor(anonymous) }
  const back = await callback({ cookie: cookie.split(';')[0] ?? '', ...internal })

  expect(cookie).toMatch(
    /^__Host-sluice_social=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
  )
  expect(outside.status).toBe(401)
  expect([back.status, back.headers.get('location')]).toEqual([303, '/o/acme'])
  expect(back.headers.get('x-sluice-set-cookie')).toMatch(
    /^__Host-sluice_social=; Max-Age=0;.*, __Host-sluice_refresh=[\w.-]+; .*SameSite=Strict; Secure$/,
  )
})

test('who does not set a provider up offers none', async () => {
  await using world = await openWorld()
  const { context } = world.request()
  expect(world.deps.social.names).toEqual([])
  expect(await startSocialSignIn(context, 'google', '/').catch(codeOf)).toBe('SLUICE_SOCIAL_OFF')
})
