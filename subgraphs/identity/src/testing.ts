import { randomBytes } from 'node:crypto'

import { createAttempts } from '@sluice/kit/attempts'
import { forkSystem } from '@sluice/kit/database'
import { silentLog } from '@sluice/kit/log'
import { anonymous, type Principal } from '@sluice/kit/principal'
import { openRedis } from '@sluice/kit/redis'
import { Sealer } from '@sluice/kit/sealer'
import { generatePrivateJwks, openSigningKeys } from '@sluice/kit/signing-keys'
import { openDatabase, openTestRedis, type TestDatabase } from '@sluice/kit/testing'
import { freeEntitlements, type Entitlements } from '@sluice/schema/events'
import type { Role } from '@sluice/schema/permissions'
import { inject } from 'vitest'

import { createBreachedPasswords } from './account/breached-passwords.ts'
import { defaultWatch, openWatch } from './anomaly/open-watch.ts'
import { openHeadKeys } from './audit/signed-heads.ts'
import { principalOfSignIn } from './authenticate/principal-of.ts'
import {
  createContext,
  refreshTokenHeader,
  userAgentHeader,
  type Context,
  type Deps,
} from './context.ts'
import { incomingEvents } from './incoming-events.ts'
import type { Member } from './organization/member.entity.ts'
import { admitMember } from './organization/membership.ts'
import { database } from './orm.ts'
import { createAccessTokens } from './sign-in/access-token.ts'
import { createPasswords, type Argon2, type Passwords } from './sign-in/password.ts'
import { createRefreshCookie } from './sign-in/refresh-cookie.ts'
import { createRefreshTokens } from './sign-in/refresh-token.ts'
import { signUp } from './sign-in/sign-up.ts'
import { createSocial, type SocialOptions } from './social/social.ts'
import { createSso } from './sso/sso.ts'
import { impersonationMsDefault } from './staff/impersonation.ts'

/** The password of every person that `signUp` of this world makes. */
export const testPassword = 'correct horse battery'

/** Stands in for argon2, whose slowness is its point. */
export const plainHashes: Argon2 = {
  hash: async (password) => `plain:${String(password)}`,
  verify: async (hash, password) => hash === `plain:${String(password)}`,
}

export interface Person {
  readonly userId: string
  readonly email: string
  readonly name: string
  /** The organization that came with signing up. */
  readonly organizationId: string
  readonly refreshToken: string
  /** A request of this person, with the memberships they have now. */
  context(): Promise<Context>
}

/** The rules of identity on a database and a Redis of their own, with a clock that stands until it is moved. */
export interface World extends AsyncDisposable {
  readonly db: TestDatabase
  readonly deps: Deps
  /** `kind:id` of each revocation, in order. */
  readonly revoked: string[]
  /** How often a password was hashed or checked. */
  hashes(): number
  pass(ms: number): void
  /** A request; `cookie()` is the refresh token that its answer sets: '' when it is taken away. */
  request(options?: {
    principal?: Principal
    ip?: string
    refreshToken?: string
    userAgent?: string
  }): {
    context: Context
    cookie: () => string | null
  }
  person(name?: string): Promise<Person>
  /** Takes a person into an organization, as an identity provider does. */
  join(organizationId: string, person: Pick<Person, 'userId'>, role?: Role): Promise<Member>
  /** As when billing has told what an organization may do. */
  tellEntitlements(organizationId: string, changed: Partial<Entitlements>): Promise<void>
}

export async function openWorld({
  social = {},
  dnsServers,
}: { social?: SocialOptions; dnsServers?: readonly string[] } = {}): Promise<World> {
  const db = await openDatabase({ ...database, serverUrl: inject('databaseUrl') })
  const testRedis = await openTestRedis(inject('redisUrl'))
  const redis = openRedis(testRedis.url, silentLog)
  if (redis.status !== 'ready') await new Promise((resolve) => redis.once('ready', resolve))
  const jwks = await generatePrivateJwks()
  const revoked: string[] = []
  let hashes = 0
  let time = Date.now()
  const now = () => new Date(time)

  const wakeMail = () => undefined
  const watch = await openWatch(defaultWatch, { orm: db.orm, redis, now, log: silentLog, wakeMail })

  const deps: Deps = {
    ...watch,
    impersonationMsMax: impersonationMsDefault,
    orm: db.orm,
    passwords: countedPasswords(() => void (hashes += 1)),
    breachedPasswords: createBreachedPasswords(null, silentLog),
    attempts: createAttempts(redis, silentLog),
    sealer: new Sealer([{ id: 'test', key: randomBytes(32) }]),
    consoleOrigin: 'http://localhost:4000',
    invitationLifeMs: 7 * 24 * 60 * 60_000,
    accessTokens: createAccessTokens(await openSigningKeys(jwks)),
    refreshTokens: createRefreshTokens(jwks),
    signingKeyRotation: { begin: () => Promise.reject(new Error('this world rotates no keys')) },
    refreshCookie: createRefreshCookie('http://localhost:4000'),
    sso: createSso(
      { guard: { allowPrivate: true }, dnsServers },
      { consoleOrigin: 'http://localhost:4000', log: silentLog },
    ),
    social: createSocial(social, { consoleOrigin: 'http://localhost:4000', now, log: silentLog }),
    headKeys: await openHeadKeys(jwks),
    objects: undefined,
    guard: { allowPrivate: true },
    revocations: {
      publish: async (kind, id) => void revoked.push(`${kind}:${id}`),
      announce: async ({ kind, id }) => void revoked.push(`${kind}:${id}`),
    },
    wakeOutbox: () => undefined,
    wakeMail,
    now,
  }

  const request: World['request'] = ({
    principal = anonymous,
    ip,
    refreshToken,
    userAgent,
  } = {}) => {
    let setCookie: string | null = null
    const context = createContext(deps, {
      principal,
      requestId: crypto.randomUUID(),
      // Each request from an address of its own, unless the test is about addresses.
      visitorIp:
        ip ?? `2001:db8:${crypto.randomUUID().slice(0, 4)}:${crypto.randomUUID().slice(0, 4)}::1`,
      signal: undefined,
      header: (name) =>
        ({ [refreshTokenHeader]: refreshToken, [userAgentHeader]: userAgent })[name] ?? null,
      setHeader: (_name, value) => void (setCookie = value),
    })
    return { context, cookie: () => tokenIn(setCookie) }
  }

  return {
    db,
    deps,
    revoked,
    hashes: () => hashes,
    pass: (ms) => void (time += ms),
    request,
    async person(name = 'Ada') {
      // Nobody joins at the same instant as somebody before: lists have one order.
      time += 1
      const email = `${crypto.randomUUID()}@example.test`
      const { context, cookie } = request()
      const { user } = await signUp(context, { email, password: testPassword, name })
      const { signInId, memberships } = context.principal
      return {
        userId: user.id,
        email,
        name,
        organizationId: memberships[0]?.organizationId ?? '',
        refreshToken: cookie() ?? '',
        async context() {
          const signIn = { userId: user.id, signInId: signInId ?? '' }
          const principal = await principalOfSignIn(forkSystem(db.orm), signIn, deps.now())
          return request({ principal: principal ?? anonymous }).context
        },
      }
    },
    async join(organizationId, { userId }, role = 'DEVELOPER') {
      time += 1
      const owner = { id: userId, name: 'Test' }
      const options = { organizationId, userId, role, actor: owner, ip: '', at: deps.now() }
      const { member } = await forkSystem(db.orm).transactional((em) => admitMember(em, options))
      return member
    },
    async tellEntitlements(organizationId, changed) {
      const entitlements = { ...freeEntitlements, ...changed }
      await forkSystem(db.orm).transactional((em) =>
        incomingEvents['entitlements.changed'](em, {
          organizationId,
          planId: 'free',
          entitlements,
        }),
      )
    },
    async [Symbol.asyncDispose]() {
      await watch.close()
      redis.disconnect()
      await testRedis[Symbol.asyncDispose]()
      await db[Symbol.asyncDispose]()
    },
  }
}

function countedPasswords(onHash: () => void): Passwords {
  return createPasswords({
    hash(password) {
      onHash()
      return plainHashes.hash(password)
    },
    verify(hash, password) {
      onHash()
      return plainHashes.verify(hash, password)
    },
  })
}

function tokenIn(setCookie: string | null): string | null {
  return setCookie === null ? null : (/^[^=]+=([^;]*)/.exec(setCookie)?.[1] ?? null)
}
