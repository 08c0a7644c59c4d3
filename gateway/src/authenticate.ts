import type { Attempts } from '@sluice/kit/attempts'
import type { Log } from '@sluice/kit/log'
import { anonymous, type Principal } from '@sluice/kit/principal'
import type { ChannelHub } from '@sluice/kit/redis'
import { SluiceError, type ErrorCode } from '@sluice/schema/errors'
import { redisChannels, type Revocation } from '@sluice/schema/redis'

import { createAuthenticationCache, kindOf } from './authentication-cache.ts'
import type { Authenticated, CredentialKind, Identity } from './identity.ts'
import type { Limits } from './limits.ts'
import { createRelayKeys, relayKeyPrefix } from './relay-keys.ts'
import { openRevocationList } from './revocation-list.ts'
import { isRevoked, keepsRights, parseRevocation } from './revocation.ts'
import { createWrongCredentials } from './wrong-credentials.ts'

/** Who is asking, and with what: a live stream has the credential looked at again. */
export interface Caller extends Authenticated {
  readonly authorization: string | null
}

export interface Authenticator {
  /** Resolves when revocations are heard, or after `waitMs`: a Redis that is away keeps nobody out. */
  hearing(waitMs: number): Promise<void>
  /**
   * Decides who sends this `Authorization` value. None is the anonymous; a bad one throws and is never taken for none.
   * While identity is away only what it answered in the last `authenticationCachedMs` still counts, of a machine's
   * credential for the same address. Throws SLUICE_RATE_LIMITED for an address that has tried too many wrong ones.
   */
  authenticate(authorization: string | null, ip: string): Promise<Caller>
  /** Asks identity anew the next time, because a person may just have changed who they are. */
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
/** A timer in Node cannot wait longer; the look every `revalidateMs` comes earlier anyway. */
const timerMsMax = 2 ** 31 - 1

export function createAuthenticator(options: {
  identity: Identity
  attempts: Attempts
  hub: ChannelHub
  relayKeyHashes: readonly string[]
  limits: Limits
  now: () => number
  log: Log
}): Authenticator {
  const { identity, attempts, hub, limits, now, log } = options
  const relayOf = createRelayKeys(options.relayKeyHashes)
  const wrongCredentials = createWrongCredentials(attempts, limits, now)
  const answers = createAuthenticationCache(identity, wrongCredentials, limits)
  const watched = new Set<Watched>()

  function revoke(revocation: Revocation): void {
    answers.revoke(revocation)
    for (const entry of Array.from(watched)) {
      if (!isRevoked(entry.caller.principal, revocation)) continue
      if (!followed.has(revocation.kind)) entry.end(new SluiceError('SLUICE_UNAUTHENTICATED'))
      else void followMembership(entry, authenticate, limits.membershipCheckMs)
    }
  }

  const heard = hub.subscribe(redisChannels.revocations, (message) => {
    const revocation = parseRevocation(message)
    if (revocation) revoke(revocation)
    else log.warn('a revocation could not be read')
  })
  heard.catch((error: unknown) => log.error({ err: error }, 'revocations cannot be heard'))

  const list = openRevocationList({
    read: (since) => identity.revocations(since),
    everyMs: limits.revocationsReadMs,
    onRevoked: revoke,
    now,
    log,
  })

  async function authenticate(authorization: string | null, ip: string): Promise<Caller> {
    if (authorization === null) return { principal: anonymous, expiresAtMs: null, authorization }
    const token = bearerForm.exec(authorization)?.[1]
    if (token === undefined) throw new SluiceError('SLUICE_UNAUTHENTICATED')
    if (token.startsWith(relayKeyPrefix)) return { ...relayOf(token), authorization }
    const authenticated = await answers.get(token, ip)
    const { expiresAtMs } = authenticated
    if (expiresAtMs !== null && expiresAtMs <= now()) {
      throw new SluiceError(expiredCodes[kindOf(token)])
    }
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
      if (token !== undefined) answers.forget(token)
    },

    watch(caller, ip, end, changed = () => undefined) {
      if (caller.authorization === null) return () => undefined
      let expiry: NodeJS.Timeout | undefined
      const leave = () => {
        watched.delete(entry)
        clearTimeout(expiry)
        clearInterval(looking)
      }
      const endOnce = (reason: SluiceError) => {
        if (!watched.has(entry)) return
        leave()
        end(reason)
      }
      const endWithCredential = ({ principal: { kind }, expiresAtMs }: Caller) => {
        clearTimeout(expiry)
        if (expiresAtMs === null) return
        const leftMs = Math.min(Math.max(0, expiresAtMs - now()), timerMsMax)
        const code = isMachine(kind) ? expiredCodes[kind] : expiredCodes['sign-in']
        expiry = setTimeout(() => endOnce(new SluiceError(code)), leftMs)
      }
      const entry: Watched = {
        caller,
        ip,
        end: endOnce,
        changed(renewed) {
          // A rotation gives an end to what had none.
          endWithCredential(renewed)
          changed(renewed)
        },
      }
      watched.add(entry)
      endWithCredential(caller)
      const looking = setInterval(() => void lookAgain(entry, authenticate), limits.revalidateMs)
      return leave
    },

    close() {
      list.close()
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

const expiredCodes = {
  'sign-in': 'SLUICE_UNAUTHENTICATED',
  authtoken: 'SLUICE_AUTHTOKEN_EXPIRED',
  'api-key': 'SLUICE_API_KEY_EXPIRED',
} as const satisfies Record<CredentialKind, ErrorCode>

function isMachine(kind: Principal['kind']): kind is 'authtoken' | 'api-key' {
  return kind === 'authtoken' || kind === 'api-key'
}
