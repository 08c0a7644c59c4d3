import { createHash } from 'node:crypto'

/** One entry of the audit, as it is hashed and exported. `sequence` counts the entries of its chain from 1. */
export interface AuditRow {
  readonly action: string
  readonly actorId: string | null
  readonly actorKind: string
  readonly actorName: string
  /** ISO 8601 in UTC with milliseconds. */
  readonly at: string
  readonly details: string | null
  readonly id: string
  readonly ip: string | null
  /** Null in the chain of the platform. */
  readonly organizationId: string | null
  readonly sequence: number
  readonly targetId: string | null
  readonly targetType: string
}

/** What is signed daily of each chain: who holds it can tell whether anything up to `sequence` was changed since. */
export interface AuditHead {
  readonly organizationId: string | null
  readonly sequence: number
  readonly hash: string
  /** ISO 8601: when it was signed. */
  readonly at: string
}

/** The `typ` of a signed head (RFC 8725 §3.11). It does not expire. */
export const auditHeadType = 'audit-head+jwt'

/** What stands for the previous hash before the first entry of a chain. */
export const noPreviousHash = '0'.repeat(64)

/** Sorted, as RFC 8785 has it: with strings, integers and null that is all there is to its canonical form. */
const keys = [
  'action',
  'actorId',
  'actorKind',
  'actorName',
  'at',
  'details',
  'id',
  'ip',
  'organizationId',
  'sequence',
  'targetId',
  'targetType',
] as const satisfies (keyof AuditRow)[]

/** SHA-256 over the row's canonical JSON (RFC 8785) in UTF-8, followed by the previous entry's hash in hexadecimal. */
export function auditHash(row: AuditRow, previousHash: string): string {
  const canonical = JSON.stringify(row, [...keys])
  return createHash('sha256').update(canonical).update(previousHash).digest('hex')
}
