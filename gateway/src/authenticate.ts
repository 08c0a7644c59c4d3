import { createHash } from 'node:crypto'

import type { Log } from '@sluice/kit/log'
import { anonymous, type Principal } from '@sluice/kit/principal'
import type { ChannelHub } from '@sluice/kit/redis'
import { SluiceError } from '@sluice/schema/errors'
import { redisChannels, type Revocation } from '@sluice/schema/redis'
import { LRUCache } from 'lru-cache'

import type { Authenticated, Identity } from './identity.ts'
import type { Limits } from './limits.ts'
import { createRelayKeys, relayKeyPrefix } from './relay-keys.ts'
import { isRevoked, keepsRights, parseRevocation } from './revocation.ts'

/** Who is asking, and with what: a live stream has the credential looked at again. */
export interface Caller extends Authenticated {
  readonly authorization: string | null
}

export interface Authenticator {
  /** Resolves when revocations are heard, or after `waitMs`: a Redis that is away keeps nobody out. */
  hearing(waitMs: number): Promise<void>
  /**
   * Decides who sends this `Authorization` value. None is the anonymous; a bad one throws and is never taken for none.
   * While identity is away only what it answered in the last `authenticationCachedMs` still counts.
   */
  authenticate(authorization: string | null, ip: string): Promise<Caller>
  /** Asks identity anew the next time, because the caller may just have changed who it is. */
  forget(authorization: string | null): void
  /**
   * Calls `end` once when the caller's credential expires, is revoked, or is refused when it is looked at again, and
   * `changed` when memberships did but took nothing away.
   */
  watch(
    caller: Caller,
    ip: string,
    end: (reason: SluiceError) => void,
    changed?: (caller: Caller) => void,
  ): () => void
  close(): void
}

/** One live stream or socket, and who holds it. */
interface Watched {
  caller: Caller
  readonly ip: string
  readonly end: (reason: SluiceError) => void
  readonly changed: (caller: Caller) => void
}

/** What may leave something: whoever is concerned asks again, and ends if that took rights away. */
const followed: ReadonlySet<Revocation['kind']> = new Set(['membership', 'organization'])
const bearerForm = /^Bearer ([\x21-\x7e]{1,4096})$/i
const authtokenPrefix = 'slt_'
/** A timer in Node cannot wait longer; the look every `revalidateMs` comes earlier anyway. */
const timerMsMax = 2 ** 31 - 1

export function createAuthenticator(options: {
  identity: Identity
  hub: ChannelHub
  relayKeyHashes: readonly string[]
  limits: Limits
  now: () => number
  log: Log
}): Authenticator {
  const { identity, hub, limits, now, log } = options
  const relayOf = createRelayKeys(options.relayKeyHashes)
  const cache = new LRUCache<string, { answer: Promise<Authenticated>; principal?: Principal }>({
    max: limits.authenticationsCachedMax,
    ttl: limits.authenticationCachedMs,
  })
  const watched = new Set<Watched>()
  let revocations = 0

  const heard = hub.subscribe(redisChannels.revocations, (message) => {
    const revocation = parseRevocation(message)
    if (!revocation) {
      log.warn('a revocation could not be read')
      return
    }
    revocations += 1
    for (const [key, { principal }] of cache.entries()) {
      // An answer still under way may be from before the revocation.
      if (!principal || isRevoked(principal, revocation)) cache.delete(key)
    }
    for (const entry of Array.from(watched)) {
      if (!isRevoked(entry.caller.principal, revocation)) continue
      if (!followed.has(revocation.kind)) entry.end(new SluiceError('SLUICE_UNAUTHENTICATED'))
      else void followMembership(entry, authenticate, limits.membershipCheckMs)
    }
  })
  heard.catch((error: unknown) => log.error({ err: error }, 'revocations cannot be heard'))

  async function askIdentity(token: string, ip: string): Promise<Authenticated> {
    const kind = token.startsWith(authtokenPrefix) ? 'authtoken' : 'sign-in'
    const before = revocations
    const answer = await identity.authenticate(kind, token, ip)
    // Something was revoked while identity answered: its word may be older than the revocation.
    return before === revocations ? answer : identity.authenticate(kind, token, ip)
  }

  function cached(token: string, ip: string): Promise<Authenticated> {
    const key = cacheKeyOf(token)
    const known = cache.get(key)
    if (known) return known.answer
    const answer = askIdentity(token, ip)
    cache.set(key, { answer })
    answer.then(
      (authenticated) => {
        const entry = cache.peek(key)
        if (entry?.answer === answer) entry.principal = authenticated.principal
      },
      () => {
        if (cache.peek(key)?.answer === answer) cache.delete(key)
      },
    )
    return answer
  }

  async function authenticate(authorization: string | null, ip: string): Promise<Caller> {
    if (authorization === null) return { principal: anonymous, expiresAtMs: null, authorization }
    const token = bearerForm.exec(authorization)?.[1]
    if (token === undefined) throw new SluiceError('SLUICE_UNAUTHENTICATED')
    if (token.startsWith(relayKeyPrefix)) return { ...relayOf(token), authorization }
    const authenticated = await cached(token, ip)
    const { expiresAtMs } = authenticated
    if (expiresAtMs !== null && expiresAtMs <= now())
      throw new SluiceError('SLUICE_UNAUTHENTICATED')
    return { ...authenticated, authorization }
  }

  return {
    authenticate,

    async hearing(waitMs) {
      let timer: NodeJS.Timeout | undefined
      const enough = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, waitMs)
      })
      await Promise.race([
        heard.then(
          () => undefined,
          () => undefined,
        ),
        enough,
      ])
      clearTimeout(timer)
    },

    forget(authorization) {
      const token = bearerForm.exec(authorization ?? '')?.[1]
      if (token !== undefined) cache.delete(cacheKeyOf(token))
    },

    watch(caller, ip, end, changed = () => undefined) {
      const { authorization, expiresAtMs } = caller
      if (authorization === null) return () => undefined
      const timers: NodeJS.Timeout[] = []
      const leave = () => {
        watched.delete(entry)
        for (const timer of timers) clearTimeout(timer)
      }
      const endOnce = (reason: SluiceError) => {
        if (!watched.has(entry)) return
        leave()
        end(reason)
      }
      const entry: Watched = { caller, ip, end: endOnce, changed }
      watched.add(entry)

      if (expiresAtMs !== null) {
        const leftMs = Math.min(Math.max(0, expiresAtMs - now()), timerMsMax)
        timers.push(setTimeout(() => endOnce(new SluiceError('SLUICE_UNAUTHENTICATED')), leftMs))
      }
      timers.push(setInterval(() => void lookAgain(entry, authenticate), limits.revalidateMs))
      return leave
    },

    close() {
      for (const { end } of Array.from(watched)) end(new SluiceError('SLUICE_UNAUTHENTICATED'))
    },
  }
}

/** Looks at the credential again. Rights that were gained end nothing; one that was lost does. */
async function renew(entry: Watched, authenticate: Authenticator['authenticate']): Promise<void> {
  const { caller, ip, changed } = entry
  const renewed = await authenticate(caller.authorization, ip)
  if (!keepsRights(caller.principal, renewed.principal)) {
    throw new SluiceError('SLUICE_UNAUTHENTICATED')
  }
  entry.caller = renewed
  changed(renewed)
}

/** Identity being away ends no stream: expiry and revocations still do. */
async function lookAgain(
  entry: Watched,
  authenticate: Authenticator['authenticate'],
): Promise<void> {
  await renew(entry, authenticate).catch((error: unknown) => {
    const away = error instanceof SluiceError && error.code === 'SLUICE_SUBGRAPH_UNAVAILABLE'
    if (!away) entry.end(new SluiceError('SLUICE_UNAUTHENTICATED'))
  })
}

/** A change of memberships that is not explained in time counts as a loss. */
async function followMembership(
  entry: Watched,
  authenticate: Authenticator['authenticate'],
  withinMs: number,
): Promise<void> {
  const ending = () => entry.end(new SluiceError('SLUICE_UNAUTHENTICATED'))
  const deadline = setTimeout(ending, withinMs)
  await renew(entry, authenticate).catch(ending)
  clearTimeout(deadline)
}

/** Credentials are not kept, only what they hash to. */
function cacheKeyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
