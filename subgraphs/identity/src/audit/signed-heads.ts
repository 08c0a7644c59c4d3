import { forkSystem, type EntityManager, type Orm } from '@sluice/kit/database'
import type { ObjectStore } from '@sluice/kit/object-store'
import { publicJwksOf, type PrivateJwks } from '@sluice/kit/signing-keys'
import { auditHeadType, type AuditHead } from '@sluice/schema/audit-chain'
import { createLocalJWKSet, importJWK, jwtVerify, SignJWT, type JSONWebKeySet } from 'jose'
import { z } from 'zod'

import type { Context } from '../context.ts'
import { AuditSignedHead, chainOf, platformChain } from './audit-chain.entity.ts'
import { auditReaderOf, type AuditOwner } from './audit-reader.ts'

/** Signs heads with the first key, and recognises those of all. */
export interface HeadKeys {
  sign(head: AuditHead): Promise<string>
  /** Null: no key of ours signed it. */
  read(jws: string): Promise<AuditHead | null>
  /** Who holds these can check heads without us. */
  readonly publicJwks: JSONWebKeySet
}

const Head = z.object({
  organizationId: z.uuid().nullable(),
  sequence: z.number().int().positive(),
  hash: z.string().length(64),
  at: z.iso.datetime(),
})

export async function openHeadKeys(jwks: PrivateJwks): Promise<HeadKeys> {
  const [first] = jwks.keys
  if (!first) throw new TypeError('no key to sign heads of the audit')
  const key = await importJWK(first, 'EdDSA')
  const publicJwks: JSONWebKeySet = publicJwksOf(jwks)
  const keySet = createLocalJWKSet(publicJwks)
  return {
    publicJwks,
    sign: (head) =>
      new SignJWT({ ...head })
        .setProtectedHeader({ alg: 'EdDSA', kid: first.kid, typ: auditHeadType })
        .sign(key),
    async read(jws) {
      try {
        const { payload } = await jwtVerify(jws, keySet, {
          algorithms: ['EdDSA'],
          typ: auditHeadType,
        })
        return Head.parse(payload)
      } catch {
        // Forged, cut or signed by a key that was given up: for whoever asks that is one answer.
        return null
      }
    },
  }
}

const headsPerTurnMax = 50
const headEveryHours = 24

/** Below it lie the signed heads of a chain, by day. */
export function headsPrefix(chain: string): string {
  return `audit-heads/${chain}/`
}

/**
 * Signs the ends of chains that grew since they were signed a day ago, and exports them; returns how many. One process
 * at a time does so. A head is exported before it is noted: a crash between the two signs again.
 */
export async function signHeads(deps: {
  orm: Orm
  keys: HeadKeys
  objects: ObjectStore | undefined
  now: () => Date
}): Promise<number> {
  const { orm, keys, objects, now } = deps
  return forkSystem(orm).transactional(async (em) => {
    const [turn] = await em.execute<{ mine: boolean }[]>(
      `select pg_try_advisory_xact_lock(hashtextextended('sluice:audit:heads', 0)) as mine`,
    )
    if (!turn?.mine) return 0
    const due = await dueChains(em, now())
    for (const { chain, sequence, hash } of due) {
      const at = now()
      const organizationId = chain === platformChain ? null : chain
      const jws = await keys.sign({ organizationId, sequence, hash, at: at.toISOString() })
      const objectKey = objects && `${headsPrefix(chain)}${at.toISOString().slice(0, 10)}.jws`
      if (objectKey) await objects.put(objectKey, Buffer.from(jws), 'application/jose')
      em.create(AuditSignedHead, {
        organizationId: chain,
        sequence: BigInt(sequence),
        hash,
        jws,
        objectKey: objectKey ?? null,
        signedAt: at,
      })
    }
    if (objects && due.length > 0) {
      const text = JSON.stringify(keys.publicJwks)
      await objects.put('audit-heads/jwks.json', Buffer.from(text), 'application/jwk-set+json')
    }
    return due.length
  })
}

/** Chains of which something is not signed yet, and was not signed for a day. Hops from chain to chain on the primary key. */
async function dueChains(em: EntityManager, now: Date) {
  const rows = await em.execute<{ chain: string; sequence: string; hash: string }[]>(
    `with recursive chains as (
       (select organization_id from identity.audit_link order by organization_id limit 1)
       union all
       select (select link.organization_id from identity.audit_link as link
               where link.organization_id > chains.organization_id order by link.organization_id limit 1)
       from chains where chains.organization_id is not null
     )
     select head.organization_id as chain, head.sequence, head.hash from chains
     cross join lateral (
       select organization_id, sequence, hash from identity.audit_link as link
       where link.organization_id = chains.organization_id order by link.sequence desc limit 1
     ) as head
     left join lateral (
       select sequence, signed_at from identity.audit_signed_head as signed
       where signed.organization_id = chains.organization_id order by signed.sequence desc limit 1
     ) as signed on true
     where signed.sequence is null
        or (signed.sequence < head.sequence and signed.signed_at <= ?)
     limit ${headsPerTurnMax}`,
    [new Date(now.getTime() - headEveryHours * 3_600_000)],
  )
  return rows.map(({ chain, sequence, hash }) => ({ chain, sequence: Number(sequence), hash }))
}

export interface SignedHead {
  readonly sequence: number
  readonly hash: string
  readonly at: Date
  readonly jws: string | null
  readonly objectKey: string | null
}

const headsListedMax = 100

/** The newest signed heads of an organization or of the platform. */
export async function signedHeadsOf(context: Context, owner: AuditOwner): Promise<SignedHead[]> {
  const heads = await auditReaderOf(context, owner).find(
    AuditSignedHead,
    { organizationId: chainOf(owner) },
    { orderBy: { sequence: 'desc' }, limit: headsListedMax },
  )
  return heads.map(({ sequence, hash, signedAt, jws, objectKey = null }) => {
    return { sequence: Number(sequence), hash, at: signedAt, jws, objectKey }
  })
}
