import type { EntityManager } from '@sluice/kit/database'
import type { ObjectStore } from '@sluice/kit/object-store'
import { auditHash, noPreviousHash, type AuditHead } from '@sluice/schema/audit-chain'

import type { Context } from '../context.ts'
import { chainOf } from './audit-chain.entity.ts'
import { auditReaderOf, type AuditOwner } from './audit-reader.ts'
import { linkedRows, type LinkedRow } from './audit-rows.ts'
import { headsPrefix, type HeadKeys } from './signed-heads.ts'

/** What is wrong with a row, as far as it shows. */
export const faults = {
  CHANGED: 'The entry is not what was sealed here.',
  MISSING: 'An entry is gone.',
  INSERTED: 'The entry was put in without being sealed.',
  REORDERED: 'The entry was sealed at another place.',
  REWRITTEN: 'The chain is another one than was signed.',
  TRUNCATED: 'The chain ends before what was signed.',
  HEAD_FORGED: 'The signed head that is kept here was not signed by this server.',
} as const
type Fault = keyof typeof faults

export interface BadRow {
  readonly fault: Fault
  /** Null for an entry that is in no chain. */
  readonly sequence: number | null
  readonly entryId: string | null
}

export interface Integrity {
  /** Nothing wrong was found among the rows that were looked at. */
  readonly ok: boolean
  /** How many rows were looked at. */
  readonly count: number
  /** The last row that was found good. */
  readonly head: { readonly sequence: number; readonly hash: string } | null
  /** The newest signed head that was found to agree. */
  readonly signedHead: AuditHead | null
  /** Entries that are written and will be sealed within seconds. */
  readonly unsealed: number
  readonly firstBad: BadRow | null
  /** Where to go on; null when the chain was looked at to its end. */
  readonly next: number | null
}

/** What one call looks at: about a second on a busy machine. */
const rowsPerCallMax = 10_000
const rowsPerPage = 1_000

type Deps = {
  readonly em: EntityManager
  readonly headKeys: HeadKeys
  readonly objects: ObjectStore | undefined
}

/** Verifies a chain from `from` on; what stands before it is taken as it is. */
export async function auditIntegrity(
  context: Context,
  owner: AuditOwner,
  from = 1,
): Promise<Integrity> {
  const em = auditReaderOf(context, owner)
  return verifyChain({ ...context, em }, owner, Math.max(1, Math.trunc(from)))
}

/** Verifies a chain; null is the platform's. Reads `rowsPerPage` rows at a time. */
export async function verifyChain(
  deps: Deps,
  organizationId: string | null,
  from = 1,
  rowsMax = rowsPerCallMax,
): Promise<Integrity> {
  const chain = chainOf(organizationId)
  const walk = new Walk(from, await hashBefore(deps.em, chain, from))
  let heads = await signedHeads(deps, chain, from)
  let isEnd = false
  while (!isEnd && !walk.firstBad && walk.count < rowsMax) {
    const asked = Math.min(rowsPerPage, rowsMax - walk.count)
    const rows = await linkedRows(deps.em, chain, walk.next, asked)
    isEnd = rows.length < asked
    heads = walk.pass(rows, heads)
  }
  const unsealed = isEnd ? await countUnsealed(deps.em, organizationId) : 0
  const firstBad =
    walk.firstBad ??
    (isEnd ? (truncated(walk, heads) ?? (await unchained(deps.em, organizationId))) : null)
  return {
    ok: firstBad === null,
    count: walk.count,
    head: walk.head,
    signedHead: walk.signedHead,
    unsealed,
    firstBad,
    next: isEnd || firstBad ? null : walk.next,
  }
}

/** A head as it is kept; `signed` is null when the signature is not ours. */
interface KeptHead {
  readonly sequence: number
  readonly hash: string
  readonly signed: AuditHead | null
}

class Walk {
  next: number
  count = 0
  head: Integrity['head'] = null
  signedHead: AuditHead | null = null
  firstBad: BadRow | null = null
  /** Of the row before, and of the one before that. */
  #previous: string
  #beforePrevious = ''

  constructor(from: number, previous: string) {
    this.next = from
    this.#previous = previous
  }

  /** Looks at rows that follow each other until one is bad; returns the heads that are still ahead. */
  pass(rows: readonly LinkedRow[], heads: readonly KeptHead[]): readonly KeptHead[] {
    const ahead = [...heads]
    for (const [index, row] of rows.entries()) {
      this.firstBad = this.#faultOf(row, rows, index)
      if (this.firstBad) return ahead
      while (ahead[0]?.sequence === row.sequence) {
        const kept = ahead.shift()
        if (kept) this.firstBad = headFault(kept, row)
        if (this.firstBad) return ahead
        this.signedHead = kept?.signed ?? null
      }
      this.#beforePrevious = this.#previous
      this.#previous = row.hash
      this.head = { sequence: row.sequence, hash: row.hash }
      this.next = row.sequence + 1
      this.count += 1
    }
    return ahead
  }

  #faultOf({ sequence, entryId, hash, row }: LinkedRow, rows: readonly LinkedRow[], index: number) {
    if (sequence !== this.next) return bad('MISSING', this.next, null)
    if (!row) return bad('MISSING', sequence, entryId)
    if (auditHash(row, this.#previous) === hash) return null
    const before = rows[index - 1]
    // Sealed behind the row before the last: so the last one was not there then.
    if (before && auditHash({ ...row, sequence: sequence - 1 }, this.#beforePrevious) === hash) {
      return bad('INSERTED', before.sequence, before.entryId)
    }
    const following = rows[index + 1]
    const isFollowingInPlace =
      following?.row && auditHash({ ...following.row, sequence }, this.#previous) === following.hash
    if (isFollowingInPlace) return bad('INSERTED', sequence, entryId)
    const isSealedHere = (other: LinkedRow) =>
      other.row !== null && auditHash({ ...other.row, sequence }, this.#previous) === hash
    return bad(rows.some(isSealedHere) ? 'REORDERED' : 'CHANGED', sequence, entryId)
  }
}

function headFault(kept: KeptHead, row: LinkedRow): BadRow | null {
  const { signed } = kept
  if (!signed || signed.sequence !== kept.sequence || signed.hash !== kept.hash) {
    return bad('HEAD_FORGED', row.sequence, row.entryId)
  }
  return kept.hash === row.hash ? null : bad('REWRITTEN', row.sequence, row.entryId)
}

/** What was signed is longer than what is there. */
function truncated(walk: Walk, ahead: readonly KeptHead[]): BadRow | null {
  const isSigned = ahead.some(({ signed }) => signed !== null && signed.sequence >= walk.next)
  return isSigned ? bad('TRUNCATED', walk.next, null) : null
}

function bad(fault: Fault, sequence: number | null, entryId: string | null): BadRow {
  return { fault, sequence, entryId }
}

async function hashBefore(em: EntityManager, chain: string, from: number): Promise<string> {
  if (from === 1) return noPreviousHash
  const [row] = await em.execute<{ hash: string }[]>(
    'select hash from identity.audit_link where organization_id = ? and sequence = ?',
    [chain, from - 1],
  )
  return row?.hash ?? noPreviousHash
}

/** The signed heads from a place on, in order: those of the database, and the newest that was exported. */
async function signedHeads(
  { em, headKeys, objects }: Deps,
  chain: string,
  from: number,
): Promise<readonly KeptHead[]> {
  const rows = await em.execute<{ sequence: string; hash: string; jws: string }[]>(
    `select sequence, hash, jws from identity.audit_signed_head
     where organization_id = ? and sequence >= ? order by sequence`,
    [chain, from],
  )
  const heads: KeptHead[] = await Promise.all(
    rows.map(async ({ sequence, hash, jws }) => {
      const signed = await headKeys.read(jws)
      const isOfChain = signed !== null && chainOf(signed.organizationId) === chain
      return { sequence: Number(sequence), hash, signed: isOfChain ? signed : null }
    }),
  )
  // Whoever can rewrite the database cannot rewrite what left it.
  const exported = objects && (await newestExported(objects, headKeys, chain))
  if (exported && exported.sequence >= from) {
    heads.push({ sequence: exported.sequence, hash: exported.hash, signed: exported })
  }
  return heads.toSorted((one, other) => one.sequence - other.sequence)
}

async function newestExported(objects: ObjectStore, keys: HeadKeys, chain: string) {
  const prefix = headsPrefix(chain)
  const newest = (await objects.list(prefix)).at(-1)
  const bytes = newest === undefined ? undefined : await objects.get(`${prefix}${newest}`)
  const head = bytes && (await keys.read(bytes.toString()))
  return head && chainOf(head.organizationId) === chain ? head : null
}

async function countUnsealed(em: EntityManager, organizationId: string | null): Promise<number> {
  const [row] = await em.execute<{ count: string }[]>(
    'select count(*) as count from identity.audit_unsealed where organization_id is not distinct from ?',
    [organizationId],
  )
  return Number(row?.count ?? 0)
}

/** An entry that no chain holds and that does not wait for it; or one that waits but is gone. */
async function unchained(em: EntityManager, organizationId: string | null): Promise<BadRow | null> {
  const [stray] = await em.execute<{ id: string }[]>(
    `select id from identity.audit_entry as entry where organization_id ${organizationId ? '= ?' : 'is null'}
     and not exists (select 1 from identity.audit_link where entry_id = entry.id)
     and not exists (select 1 from identity.audit_unsealed where entry_id = entry.id)
     order by at, id limit 1`,
    organizationId ? [organizationId] : [],
  )
  if (stray) return bad('INSERTED', null, stray.id)
  const [lost] = await em.execute<{ entry_id: string }[]>(
    `select entry_id from identity.audit_unsealed as unsealed where organization_id ${organizationId ? '= ?' : 'is null'}
     and not exists (select 1 from identity.audit_entry where id = unsealed.entry_id)
     and not exists (select 1 from identity.audit_link where entry_id = unsealed.entry_id)
     order by position limit 1`,
    organizationId ? [organizationId] : [],
  )
  return lost ? bad('MISSING', null, lost.entry_id) : null
}
