import { createHash, randomBytes } from 'node:crypto'

import type { EntityManager } from '@sluice/kit/database'

import { Ticket, type TicketPurpose } from './ticket.entity.ts'

const secretBytes = 32
const secretForm = /^[\w-]{43}$/

interface NewTicket {
  readonly purpose: TicketPurpose
  readonly userId: string | null
  /** What whoever comes back goes on with. It stays here. */
  readonly data: unknown
  readonly lifeMs: number
  readonly at: Date
}

/** Makes a ticket. The secret, 32 random bytes as base64url, is in the answer and nowhere else. */
export async function issueTicket(
  em: EntityManager,
  { purpose, userId, data, lifeMs, at }: NewTicket,
): Promise<string> {
  const secret = randomBytes(secretBytes).toString('base64url')
  const expiresAt = new Date(at.getTime() + lifeMs)
  await em.insert(Ticket, { secretHash: hashOf(secret), purpose, userId, data, expiresAt })
  return secret
}

interface Held<Data> {
  readonly userId: string | null
  readonly data: Data
}

/** Looks at a ticket and leaves it good; null for one that was used, has ended, or is for something else. */
export async function findTicket<Data>(
  em: EntityManager,
  purpose: TicketPurpose,
  secret: string,
  at: Date,
): Promise<Held<Data> | null> {
  if (!secretForm.test(secret)) return null
  const found = await em.findOne(
    Ticket,
    { secretHash: hashOf(secret), purpose, expiresAt: { $gt: at } },
    { disableIdentityMap: true },
  )
  return found && { userId: found.userId ?? null, data: found.data as Data }
}

/** Uses a ticket up. Of two who bring it at once, one gets it. */
export async function takeTicket<Data>(
  em: EntityManager,
  purpose: TicketPurpose,
  secret: string,
  at: Date,
): Promise<Held<Data> | null> {
  if (!secretForm.test(secret)) return null
  const [row] = await em.execute<{ user_id: string | null; data: Data }[]>(
    `delete from "identity"."ticket" where secret_hash = ? and purpose = ? and expires_at > ?
     returning user_id, data`,
    [hashOf(secret), purpose, at],
  )
  return row ? { userId: row.user_id, data: row.data } : null
}

const purgedAtOnceMax = 10_000

/** Deletes what nobody came back for. */
export async function purgeTickets(em: EntityManager, now: Date): Promise<void> {
  await em.execute(
    `delete from "identity"."ticket" where secret_hash in (
       select secret_hash from "identity"."ticket" where expires_at < ?
       limit ${purgedAtOnceMax} for update skip locked)`,
    [now],
  )
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
