import type { ServerResponse } from 'node:http'

import { createAttempts } from '@sluice/kit/attempts'
import { databaseNotReady, forkSystem, migrate, openOrm, type Orm } from '@sluice/kit/database'
import { openInbox } from '@sluice/kit/inbox'
import { createInternalVerifier } from '@sluice/kit/internal-token'
import { openKeyRing, type KeyRing } from '@sluice/kit/key-ring'
import { opening, type Closer } from '@sluice/kit/lifecycle'
import type { Log } from '@sluice/kit/log'
import { openObjectStore, type ObjectStoreSettings } from '@sluice/kit/object-store'
import { openOutboxPublisher } from '@sluice/kit/outbox'
import { openRedis } from '@sluice/kit/redis'
import { createRestRoutes } from '@sluice/kit/rest'
import { Sealer, type SealingKey } from '@sluice/kit/sealer'
import type { PrivateJwks } from '@sluice/kit/signing-keys'
import { openSubgraph } from '@sluice/kit/subgraph'
import type { JSONWebKeySet } from 'jose'

import { createBreachedPasswords } from './account/breached-passwords.ts'
import { purgeAnomalies } from './anomaly/anomalies.ts'
import { hearForgeries, reportForgery } from './anomaly/hear-forgeries.ts'
import { defaultWatch, openWatch, type WatchOptions } from './anomaly/open-watch.ts'
import { openAudit } from './audit/open-audit.ts'
import { migrateAsOwner } from './audit/runtime-role.ts'
import { openHeadKeys } from './audit/signed-heads.ts'
import { tellExpiry } from './authtoken/tell-expiry.ts'
import { createContext, type Deps } from './context.ts'
import { seedFirstAdmin, type FirstAdmin } from './first-admin.ts'
import { incomingEvents } from './incoming-events.ts'
import { purgeInvitations } from './invitation/invitation.ts'
import { openMailTransport } from './mail/mail-transport.ts'
import { openMailSender, purgeMails } from './mail/send-mails.ts'
import { database } from './orm.ts'
import { restRoutes } from './rest.ts'
import { openRevocationAnnouncer, purgeRevocations } from './revocation/revocation-list.ts'
import { createRevocations } from './revocations.ts'
import { noteInternalKey } from './rotation/internal-keys.ts'
import { openSigningKeyRotation } from './rotation/rotate-signing-keys.ts'
import { finishRotations } from './rotation/rotation.ts'
import { schema } from './schema.ts'
import { resealSecondFactors } from './second-factor/reseal.ts'
import { createAccessTokens } from './sign-in/access-token.ts'
import { purgeSignIns } from './sign-in/end-sign-ins.ts'
import { createPasswords, type Passwords } from './sign-in/password.ts'
import { createRefreshCookie } from './sign-in/refresh-cookie.ts'
import { createRefreshTokens } from './sign-in/refresh-token.ts'
import { createSocial, type SocialOptions } from './social/social.ts'
import { resealClientSecrets } from './sso/client-secret.ts'
import { openEmailDomainChecks } from './sso/recheck-email-domains.ts'
import { resealSamlKeys } from './sso/saml-key.ts'
import { createSso } from './sso/sso.ts'
import { purgeAssertions } from './sso/used-assertion.ts'
import { impersonationMsDefault, openImpersonationEnds } from './staff/impersonation.ts'
import { purgeTickets } from './ticket/ticket.ts'

export interface ServerOptions {
  databaseUrl: string
  /** The owner of the tables, when the role of `databaseUrl` shall be able to add to the audit only. */
  ownerDatabaseUrl?: string | undefined
  redisUrl: string
  /** Sign access tokens; their public halves are served at `/.well-known/jwks.json`. */
  signingJwks: PrivateJwks
  /** How old a key gets that signs access tokens and agent tokens; by hand only if left out. */
  signingKeyDays?: number | null
  /** Who may call: the public keys of the gateway's internal header. */
  internalPublicJwks: JSONWebKeySet
  port: number
  host?: string
  /** Where the console is: links in mails lead there, and it decides name and `Secure` of the refresh cookie. */
  consoleOrigin: string
  /** Seal the secrets of second factors: the first seals, all open. */
  sealingKeys: readonly SealingKey[]
  /** Signs the heads of the audit: the first key signs, all verify. Those of `signingJwks` if left out. */
  auditJwks?: PrivateJwks | undefined
  /** Lets what tenants name be private addresses. For tests and development only. */
  allowPrivateAddresses?: boolean | undefined
  /** Where signed heads are exported to; undefined: nowhere. */
  objectStore?: ObjectStoreSettings | undefined
  /** Without a mail server, mails are kept for staff to look at. */
  mail?: { smtpUrl: string; from: string } | null
  /** For so long an invitation can be accepted: 7 days if left out. */
  invitationLifeMs?: number
  /** Where breached passwords are asked for by the beginning of a digest; nobody is asked without it. */
  breachedPasswordsUrl?: string | null
  /** What is looked out for, and what follows. */
  watch?: WatchOptions
  /** No member of staff acts as somebody else for longer. */
  impersonationMsMax?: number
  /** Who is asked about email domains, with port if not 53; those of the system if left out. */
  dnsServers?: readonly string[] | undefined
  /** Clients at Google and GitHub; nobody signs in through what is not named. */
  social?: SocialOptions
  log: Log
  now?: () => Date
  passwords?: Passwords
}

function showKeys({ publicJwks }: KeyRing, response: ServerResponse): true {
  const cacheControl = `public, max-age=${jwksCacheSeconds}`
  response
    .writeHead(200, { 'content-type': 'application/json', 'cache-control': cacheControl })
    .end(JSON.stringify(publicJwks))
  return true
}

/** The keys as relays and gateways read them. */
async function readJwks(host: string, port: number): Promise<JSONWebKeySet> {
  const name = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host
  const authority = name.includes(':') ? `[${name}]` : name
  const response = await fetch(`http://${authority}:${port}${jwksPath}`, {
    signal: AbortSignal.timeout(jwksReadMs),
  })
  if (!response.ok) throw new Error(`the keys are answered with ${response.status}`)
  return (await response.json()) as JSONWebKeySet
}

export interface Server {
  readonly port: number
  /** The first admin's sign-in on the very first start, to be printed once; null afterwards. */
  readonly firstAdmin: FirstAdmin | null
  close(): Promise<void>
}

const jwksPath = '/.well-known/jwks.json'
const jwksCacheSeconds = 300
const jwksReadMs = 5_000
const purgeEveryMs = 60 * 60_000

/** Brings the schema up to date, makes the first admin if there is none, and serves. Needs PostgreSQL, not Redis. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { log, now = () => new Date(), passwords = createPasswords() } = options
  return opening(async (closer) => {
    const orm = await openTables(options, closer)
    const keys = closer.add(await openKeyRing({ orm, roots: options.signingJwks, now, log }))
    const sealer = sealerOf(options.sealingKeys)
    await resealAll(orm, sealer, log)
    const firstAdmin = await seedFirstAdmin(orm, passwords, now)

    const redis = openRedis(options.redisUrl, log)
    closer.defer(() => redis.disconnect())
    const outbox = closer.add(openOutboxPublisher({ orm, redis, source: database.schema, log }))
    closer.add(
      openInbox({
        orm,
        redisUrl: options.redisUrl,
        consumer: database.schema,
        handlers: incomingEvents,
        log,
      }),
    )
    closer.add(purgeEveryHour(orm, log, now))
    const headKeys = await openHeadKeys(options.auditJwks ?? options.signingJwks)
    const objects = options.objectStore && closer.add(await openObjectStore(options.objectStore))
    const guard = { allowPrivate: options.allowPrivateAddresses ?? false }
    closer.add(await openAudit({ orm, keys: headKeys, objects, sealer, guard, now, log }))

    const mailSender = closer.add(
      openMailSender({
        orm,
        transport: options.mail ? openMailTransport(options.mail.smtpUrl, options.mail.from) : null,
        consoleOrigin: options.consoleOrigin,
        now,
        log,
      }),
    )

    const revocations = createRevocations(redis, log, now)
    closer.add(openRevocationAnnouncer({ orm, revocations, now, log }))
    const wakeMail = () => mailSender.wake()
    const watch = closer.add(
      await openWatch(options.watch ?? defaultWatch, { orm, redis, now, log, wakeMail }),
    )
    closer.add(hearForgeries({ redisUrl: options.redisUrl, anomalies: watch.anomalies, log }))
    const attempts = createAttempts(redis, log, ({ name }) =>
      watch.anomalies.report({ kind: 'rate-limited', subject: name, organizationId: null }),
    )
    closer.add(openImpersonationEnds({ orm, now, log }))
    const dns = { dnsServers: options.dnsServers }
    closer.add(openEmailDomainChecks({ orm, dns, now, wakeMail, log }))

    const published = () => readJwks(options.host ?? '127.0.0.1', port)
    const signingKeyRotation = closer.add(
      openSigningKeyRotation({
        orm,
        roots: options.signingJwks,
        everyDays: options.signingKeyDays ?? null,
        published,
        onChanged: () => keys.read(),
        wakeOutbox: () => outbox.wake(),
        now,
        log,
      }),
    )

    const deps: Deps = {
      ...watch,
      impersonationMsMax: options.impersonationMsMax ?? impersonationMsDefault,
      orm,
      passwords,
      breachedPasswords: createBreachedPasswords(options.breachedPasswordsUrl ?? null, log),
      attempts,
      sealer,
      consoleOrigin: options.consoleOrigin,
      invitationLifeMs: options.invitationLifeMs ?? 7 * 24 * 60 * 60_000,
      accessTokens: createAccessTokens(keys),
      refreshTokens: createRefreshTokens(options.signingJwks),
      signingKeyRotation,
      refreshCookie: createRefreshCookie(options.consoleOrigin),
      social: createSocial(options.social ?? {}, {
        consoleOrigin: options.consoleOrigin,
        now,
        log,
      }),
      sso: createSso({ guard, ...dns }, { consoleOrigin: options.consoleOrigin, log }),
      revocations,
      headKeys,
      guard,
      objects,
      wakeOutbox: () => outbox.wake(),
      wakeMail,
      now,
    }
    const onForged = (ip: string) =>
      reportForgery(watch.anomalies, { part: 'identity', forged: 'internal header', ip })
    const rest = createRestRoutes({
      verify: createInternalVerifier(options.internalPublicJwks, 'identity', { onForged }),
      routes: restRoutes(deps, log),
    })
    const { port } = closer.add(
      await openSubgraph({
        name: 'identity',
        schema,
        context: (caller) => createContext(deps, caller),
        internalPublicJwks: options.internalPublicJwks,
        port: options.port,
        ...(options.host === undefined ? {} : { host: options.host }),
        log,
        notReady: () => databaseNotReady(orm),
        onInternalKey: (key) =>
          void noteInternalKey(orm, key, now()).catch((error: unknown) => {
            // The key is good all the same; the next restart meets it again.
            log.warn({ err: error }, 'the rotation of a gateway’s key could not be noted')
          }),
        onForged,
        route: (request, response) =>
          request.url === jwksPath ? showKeys(keys, response) : rest(request, response),
      }),
    )
    return { port, firstAdmin, close: () => closer.close() }
  })
}

async function openTables(
  { databaseUrl, ownerDatabaseUrl: ownerUrl }: ServerOptions,
  closer: Closer,
): Promise<Orm> {
  const orm = await openOrm({ ...database, databaseUrl })
  closer.defer(() => orm.close(true))
  const migrated = ownerUrl ? migrateAsOwner(ownerUrl, databaseUrl) : migrate(orm, database.schema)
  await migrated.catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`identity cannot prepare its tables in PostgreSQL: ${reason}`, { cause })
  })
  return orm
}

/** What an older key seals is sealed with the current one. */
async function resealAll(orm: Orm, sealer: Sealer, log: Log): Promise<void> {
  const { failed } = await resealSecondFactors(forkSystem(orm), sealer)
  if (failed > 0) log.error({ failed }, 'second factors are sealed by a key that is not known')
  const unknown = await resealClientSecrets(forkSystem(orm), sealer)
  if (unknown > 0) log.error({ unknown }, 'client secrets are sealed by a key that is not known')
  const lost = await resealSamlKeys(forkSystem(orm), sealer)
  if (lost > 0) log.error({ lost }, 'SAML keys are sealed by a key that is not known')
}

function sealerOf([first, ...others]: readonly SealingKey[]): Sealer {
  if (!first) throw new Error('identity needs a key that seals second factors')
  return new Sealer([first, ...others])
}

function purgeEveryHour(orm: Orm, log: Log, now: () => Date) {
  const timer = setInterval(() => {
    const purges = [
      purgeSignIns(forkSystem(orm), now()),
      purgeMails(forkSystem(orm), now()),
      purgeAnomalies(forkSystem(orm), now()),
      purgeTickets(forkSystem(orm), now()),
      purgeAssertions(forkSystem(orm), now()),
      purgeRevocations(forkSystem(orm), now()),
      finishRotations(forkSystem(orm), now()),
      forkSystem(orm).transactional((em) => tellExpiry(em, now())),
      purgeInvitations(forkSystem(orm), now()),
    ]
    Promise.all(purges).catch((error: unknown) => {
      // The next hour tries again: old rows cost only room.
      log.warn({ err: error }, 'old rows could not be deleted')
    })
  }, purgeEveryMs)
  timer.unref()
  return { close: () => clearInterval(timer) }
}
