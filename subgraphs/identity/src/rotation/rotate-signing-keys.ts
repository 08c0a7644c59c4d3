import { forkSystem, type EntityManager } from '@sluice/kit/database'
import type { Orm } from '@sluice/kit/database'
import { ownerOfKey, sealerOfRoots, SigningKey } from '@sluice/kit/key-ring'
import type { Log } from '@sluice/kit/log'
import { recordEvent } from '@sluice/kit/outbox'
import type { Sealer } from '@sluice/kit/sealer'
import { generatePrivateJwks, openSigningKeys, type PrivateJwks } from '@sluice/kit/signing-keys'
import { tokenIssuer } from '@sluice/schema/claims'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'

import { recordAct } from '../audit/audit.ts'
import type { User } from '../user/user.entity.ts'
import { SecretRotation } from './secret-rotation.entity.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
/** A new key is shown for so long before it signs: relays and gateways read the keys every few minutes. */
const leadMs = 10 * minuteMs
/** An old one is shown for so long after: longer than any token lives, an outage of relays included. */
const retainMs = 2 * dayMs
const lookEveryMs = minuteMs
const lease = 'sluice:signing-keys'
const testType = 'key-test+jwt'

export interface SigningKeyRotation {
  /** Makes the next key now, unless one is on its way. Part of the caller's transaction. */
  begin(
    em: EntityManager,
    by: Pick<User, 'id' | 'name'> | null,
    ip: string,
  ): Promise<SecretRotation>
  /** What is due: puts a key that everybody knows into use, or begins a rotation. One replica at a time. */
  tick(): Promise<void>
  close(): Promise<void>
}

/**
 * Rotates the keys that sign sign-ins and agent tokens. A key is made and shown, and signs once it was seen to verify by the
 * published document; then the one before is shown until nothing that it signed can be good any more.
 */
export function openSigningKeyRotation(options: {
  orm: Orm
  /** Keys of the environment. */
  roots: PrivateJwks
  /** How old a key gets; null: keys are rotated by hand only. */
  everyDays: number | null
  /** The document as relays and gateways read it. */
  published: () => Promise<JSONWebKeySet>
  /** The keys of this process have changed. */
  onChanged: () => Promise<void>
  wakeOutbox: () => void
  now: () => Date
  log: Log
}): SigningKeyRotation {
  const { orm, roots, everyDays, now, log } = options
  const sealer = sealerOfRoots(roots)
  let ticking: Promise<void> | null = null

  async function begin(
    em: EntityManager,
    by: Pick<User, 'id' | 'name'> | null,
    ip: string,
  ): Promise<SecretRotation> {
    // Who begins at once waits here, and finds what the other began.
    await em.execute(`select pg_advisory_xact_lock(hashtextextended(?, 0))`, [lease])
    await rememberRoots(em, roots, now())
    const pending = await em.findOne(SigningKey, { activeFrom: null })
    if (pending) return em.findOneOrFail(SecretRotation, { successorId: pending.id })

    const at = now()
    const current = await currentKey(em)
    const secretId = current.sealed === '' ? roots.keys[0]?.kid : current.id
    const [made] = (await generatePrivateJwks(1)).keys
    if (!made || secretId === undefined) throw new Error('no key was made')
    const { kid: id, x: publicKey, d } = made
    const sealed = sealer.seal(d, ownerOfKey({ id, publicKey }))
    em.persist(
      em.create(SigningKey, {
        id,
        publicKey,
        ...sealed,
        createdAt: at,
        activeFrom: null,
        endsAt: null,
      }),
    )
    const rotation = em.create(SecretRotation, {
      id: crypto.randomUUID(),
      organizationId: null,
      kind: 'signing-key',
      secretId,
      successorId: id,
      at,
      by: by?.id ?? null,
      oldEndsAt: new Date(at.getTime() + leadMs + retainMs),
      finishedAt: null,
      verifiedAt: null,
    })
    em.persist(rotation)
    recordAct(em, {
      action: 'signing-key.rotated',
      actor: by,
      organizationId: null,
      target: { type: 'signing-key', id },
      details: `in place of ${secretId}`,
      ip,
      at,
    })
    await em.flush()
    return rotation
  }

  async function look(): Promise<boolean> {
    return forkSystem(orm).transactional(async (em) => {
      const [held] = await em.execute<{ held: boolean }[]>(
        `select pg_try_advisory_xact_lock(hashtextextended(?, 0)) as held`,
        [lease],
      )
      if (!held?.held) return false
      await rememberRoots(em, roots, now())
      const at = now().getTime()
      await em.nativeDelete(SigningKey, { endsAt: { $lte: now() }, sealed: { $ne: '' } })
      const pending = await em.findOne(SigningKey, { activeFrom: null })
      if (pending) {
        if (at - pending.createdAt.getTime() < leadMs) return false
        const published = await options.published()
        await activate(em, pending, { sealer, published, at: now() })
        log.info({ kid: pending.id }, 'a new signing key is in use')
        return true
      }
      if (everyDays === null) return false
      const { activeFrom } = await currentKey(em)
      if (activeFrom && at - activeFrom.getTime() < everyDays * dayMs) return false
      await begin(em, null, '')
      return true
    })
  }

  async function tick(): Promise<void> {
    const changed = await look()
    if (!changed) return
    options.wakeOutbox()
    await options.onChanged()
  }

  const timer = setInterval(() => {
    ticking ??= tick()
      .catch((error: unknown) => {
        // The key before goes on signing; the next look tries again.
        log.error({ err: error }, 'signing keys could not be rotated')
      })
      .finally(() => {
        ticking = null
      })
  }, lookEveryMs)
  timer.unref()

  return {
    begin,
    tick,
    async close() {
      clearInterval(timer)
      await ticking
    },
  }
}

/** The key that signs now. */
function currentKey(em: EntityManager): Promise<SigningKey> {
  const orderBy = [{ activeFrom: 'desc' }, { sealed: 'desc' }] as const
  return em.findOneOrFail(
    SigningKey,
    { activeFrom: { $ne: null }, endsAt: null },
    { orderBy: [...orderBy], refresh: true },
  )
}

/** A key of the environment has no row until it is known when it began. */
async function rememberRoots(em: EntityManager, roots: PrivateJwks, at: Date): Promise<void> {
  for (const { kid, x } of roots.keys) {
    await em.execute(
      `insert into "identity"."signing_key" (id, public_key, sealed, sealing_key_id, created_at, active_from)
       values (?, ?, '', '', ?, ?) on conflict (id) do nothing`,
      [kid, x, at, at],
    )
  }
}

/** Signs with the new key, and verifies as whoever has read the published document alone. */
async function assertVerifies(
  key: SigningKey,
  sealer: Sealer,
  published: JSONWebKeySet,
): Promise<void> {
  const { id: kid, publicKey: x } = key
  const d = sealer.open(key, ownerOfKey(key))
  const signer = await openSigningKeys({ keys: [{ kty: 'OKP', crv: 'Ed25519', kid, x, d }] })
  const text = await signer.sign(testType, { iss: tokenIssuer, aud: kid }, 60)
  await jwtVerify(text, createLocalJWKSet(published), {
    algorithms: ['EdDSA'],
    issuer: tokenIssuer,
    audience: kid,
    typ: testType,
  })
}

/** Puts a key into use that everybody can have read by now. Throws when the published document does not show it. */
async function activate(
  em: EntityManager,
  pending: SigningKey,
  { sealer, published, at }: { sealer: Sealer; published: JSONWebKeySet; at: Date },
): Promise<void> {
  const { id, publicKey, sealed, sealingKeyId } = pending
  await assertVerifies(pending, sealer, published)
  const endsAt = new Date(at.getTime() + retainMs)
  await em.nativeUpdate(SigningKey, { id: { $ne: id }, endsAt: null }, { endsAt })
  pending.activeFrom = at
  await em.nativeUpdate(SecretRotation, { successorId: id }, { verifiedAt: at, oldEndsAt: endsAt })
  recordEvent(em, 'signing-key.activated', `signing-key:${id}`, {
    id,
    publicKey,
    sealed,
    sealingKeyId,
    activeFrom: at.toISOString(),
  })
  await em.flush()
}
