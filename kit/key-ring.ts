import { hkdfSync } from 'node:crypto'

import { defineEntity, p } from '@mikro-orm/core'
import type { JWK } from 'jose'

import { forkSystem, type Orm } from './database.ts'
import type { EventHandlers } from './inbox.ts'
import type { Log } from './log.ts'
import { Sealer, type SealingKey } from './sealer.ts'
import { openSigningKeys, type PrivateJwks, type SigningKeys } from './signing-keys.ts'

const SigningKeySchema = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_key',
  properties: {
    /** `kid` in the header of what it signs. */
    id: p.string().length(64).primary(),
    /** The public half: `x` of its JWK. */
    publicKey: p.string().length(64),
    /** The private half, sealed under a key that is made of the environment's. Empty for one of the environment itself. */
    sealed: p.string().length(200).hidden(),
    sealingKeyId: p.string().length(64),
    createdAt: p.datetime(3),
    /** From when it signs, once everybody can have read its public half; null until that is settled. */
    activeFrom: p.datetime(3).nullable(),
    /** Until when its public half is shown, once another has taken its place. */
    endsAt: p.datetime(3).nullable(),
  },
})

/** A key that a rotation has made, or when one of the environment began and ends. */
export class SigningKey extends SigningKeySchema.class {}
SigningKeySchema.setClass(SigningKey)

/** Signs with the newest key that is active, and shows all that may still verify something. */
export interface KeyRing extends SigningKeys {
  /** Looks into the table now. Without, it is looked into again and again. */
  read(): Promise<void>
  close(): void
}

/**
 * What a subgraph that signs with the keys of another keeps of them. An event comes at least once and may be repeated;
 * those before the newest are forgotten after a while, since they sign nothing any more.
 */
export function signingKeyEvents() {
  return {
    async 'signing-key.activated'(em, { id, publicKey, sealed, sealingKeyId, activeFrom }) {
      const at = new Date(activeFrom)
      const columns = { publicKey, sealed, sealingKeyId, createdAt: at, activeFrom: at }
      await em.upsert(SigningKey, { id, ...columns, endsAt: null })
      await em.nativeDelete(SigningKey, {
        activeFrom: { $lt: new Date(at.getTime() - forgottenAfterMs) },
      })
    },
  } satisfies EventHandlers
}
/** A repeated event may bring back an old key: among newer ones it signs nothing. So those are kept for long. */
const forgottenAfterMs = 400 * 86_400_000

const readEveryMs = 10_000

/** Seals private halves under the keys of the environment: who has the database alone can sign nothing. */
export function sealerOfRoots({ keys }: PrivateJwks): Sealer {
  const [first, ...others] = keys.map(({ kid, d }): SealingKey => ({
    id: kid,
    key: Buffer.from(hkdfSync('sha256', d, '', 'sluice signing keys', 32)),
  }))
  if (!first) throw new TypeError('no signing key')
  return new Sealer([first, ...others])
}

/** Whose a sealed key is. With its public half, so that nobody puts one of their own beside it. */
export function ownerOfKey({ id, publicKey }: Pick<SigningKey, 'id' | 'publicKey'>): string {
  return `signing-key ${id} ${publicKey}`
}

/**
 * The keys of the environment, and those that rotations have put in their place since. A key that the environment's keys do
 * not open is left out: so replacing them voids everything that was signed before.
 */
export async function openKeyRing(options: {
  orm: Orm
  /** Keys of the environment. */
  roots: PrivateJwks
  now: () => Date
  log: Log
}): Promise<KeyRing> {
  const { orm, roots, now, log } = options
  const sealer = sealerOfRoots(roots)
  let known = ''
  let current: SigningKeys = await openSigningKeys(roots)
  let failing = false

  async function read(): Promise<void> {
    const rows = await forkSystem(orm).find(SigningKey, {}, { orderBy: { createdAt: 'asc' } })
    const at = now()
    const isShown = ({ endsAt }: SigningKey) => !endsAt || endsAt > at
    const isSigning = ({ activeFrom }: SigningKey) => Boolean(activeFrom && activeFrom <= at)
    const byNewest = rows
      .filter(({ sealed }) => sealed !== '')
      .toSorted((a, b) => (b.activeFrom?.getTime() ?? 0) - (a.activeFrom?.getTime() ?? 0))
    const ended = new Set(rows.filter((row) => !isShown(row)).map(({ id }) => id))
    const opened = byNewest.filter(isShown).flatMap((row) => open(row))
    const signing = opened.filter(({ row }) => isSigning(row))
    const waiting = opened.filter(({ row }) => !isSigning(row))
    const shownRoots = roots.keys.filter(({ kid }) => !ended.has(kid) || signing.length === 0)
    const keys = [...signing.map(({ jwk }) => jwk), ...shownRoots, ...waiting.map(({ jwk }) => jwk)]
    const ids = keys.map(({ kid }) => kid).join()
    // The same keys stay the same object: verifiers remember what they made of it.
    if (ids === known) return
    current = await openSigningKeys({ keys })
    known = ids
  }

  function open(row: SigningKey) {
    const { id: kid, publicKey: x } = row
    try {
      const d = sealer.open(row, ownerOfKey(row))
      return [{ row, jwk: { kty: 'OKP' as const, crv: 'Ed25519' as const, kid, x, d } }]
    } catch (error) {
      if (!failing) log.warn({ err: error, kid }, 'a signing key cannot be opened: left out')
      failing = true
      return []
    }
  }

  await read()
  const timer = setInterval(() => {
    // Keys that were good are good still while PostgreSQL is away.
    read().catch((error: unknown) => log.warn({ err: error }, 'signing keys cannot be read'))
  }, readEveryMs)
  timer.unref()
  return {
    sign: (typ, payload, seconds) => current.sign(typ, payload, seconds),
    get publicJwks(): { keys: JWK[] } {
      return current.publicJwks
    },
    read,
    close: () => clearInterval(timer),
  }
}
