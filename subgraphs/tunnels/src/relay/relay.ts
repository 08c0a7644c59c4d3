import { LockMode } from '@mikro-orm/core'
import { actorOf, recordAct } from '@sluice/kit/audit'
import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { assertSignedIn, type Principal } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import { z } from 'zod'

import type { Context, Parts } from '../context.ts'
import { announceRevocation } from '../tunnel/announce.ts'
import { Relay } from './relay.entity.ts'

export type RelayStatus = 'READY' | 'DRAINING' | 'LOST'

/** A relay that has not been heard of for this long is lost: no agent is sent to it. */
const relaySilentMsMax = 15_000
const sessionsPerHeartbeatMax = 20_000

const region = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'has 1 to 32 of a-z, 0-9 and -')
const url = (...protocols: string[]) =>
  z
    .url({ error: 'is not a URL' })
    .max(500)
    .refine((text) => protocols.includes(new URL(text).protocol), {
      error: `must start with ${protocols.join(' or ')}//`,
    })

const RelayInput = z.object({
  id: z.string().regex(/^[\w.:-]{1,64}$/, 'has 1 to 64 letters, digits and ._:-'),
  region,
  pool: region.default('default'),
  edgeUrl: url('ws:', 'wss:'),
  publicHttpUrl: url('http:', 'https:'),
  version: z.string().min(1).max(64),
  capacity: z.int().min(1),
})
export type RelayInput = z.input<typeof RelayInput>

/** What a relay hears in answer to a heartbeat. */
export interface RelayOrders {
  drain: boolean
  /** Sessions of an earlier start of their tunnel, whose newer one is served elsewhere. */
  replacedSessionIds: string[]
}

export interface RelayHeartbeat {
  id: string
  draining: boolean
  connections: number
  sessions: readonly { tunnelId: string; sessionId: string; epoch: number; since: Date }[]
}

/** Makes a relay known, or known again with what has changed. */
export async function registerRelay(context: Context, input: RelayInput): Promise<Relay> {
  assertRelay(context.principal)
  const parsed = RelayInput.safeParse(input)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const reason = `${issue?.path.join('.')} ${issue?.message}.`
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
  }
  const now = context.parts.now()
  const fields = { ...parsed.data, draining: false }
  return context.em.transactional(async (em) => {
    const known = await em.findOne(Relay, { id: fields.id })
    // Before the upsert, which changes the object that was found.
    const before = known && placeOf(known)
    const relay = await em.upsert(
      Relay,
      {
        ...fields,
        // Whoever has come back has left before.
        drainRequestedAt: null,
        sessions: 0,
        connections: 0,
        registeredAt: now,
        lastSeenAt: now,
      },
      { onConflictExcludeFields: ['registeredAt', 'sessions', 'connections'] },
    )
    // A relay registers whenever it connects; that it is known already, as it is, is no change.
    const place = placeOf(fields)
    if (before !== place) recordRelayAct(em, context, 'relay.registered', fields.id, place)
    return relay
  })
}

/** Notes that a relay lives and which sessions it holds. A relay that is not known is refused, and registers again. */
export async function heartbeatRelay(
  { principal, parts }: Context,
  heartbeat: RelayHeartbeat,
): Promise<RelayOrders> {
  assertRelay(principal)
  if (heartbeat.sessions.length > sessionsPerHeartbeatMax) {
    const reason = `a heartbeat names at most ${sessionsPerHeartbeatMax} sessions.`
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
  }
  const now = parts.now()
  // A relay serves every organization.
  const em = forkSystem(parts.orm)
  const known = await em.nativeUpdate(
    Relay,
    { id: heartbeat.id },
    {
      draining: heartbeat.draining,
      connections: Math.max(0, heartbeat.connections),
      sessions: heartbeat.sessions.length,
      lastSeenAt: now,
    },
  )
  if (known === 0) {
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason: 'no relay has registered this id.' })
  }
  await keepSessions(parts, heartbeat, now)
  const { drainRequestedAt } = await em.findOneOrFail(Relay, { id: heartbeat.id })
  return {
    drain: drainRequestedAt !== null,
    replacedSessionIds: await listReplaced(parts, heartbeat.id),
  }
}

/** Staff of the platform sends a relay away: agents go to others at once, and it leaves after its next heartbeat. */
export async function drainRelay(context: Context, id: string): Promise<Relay> {
  const { principal, parts } = context
  assertSignedIn(principal)
  if (!principal.isAdmin) throw new SluiceError('SLUICE_FORBIDDEN')
  const now = parts.now()
  return forkSystem(parts.orm).transactional(async (em) => {
    const relay = await em.findOne(Relay, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
    if (!relay) throw new SluiceError('SLUICE_RELAY_NOT_FOUND')
    if (relay.drainRequestedAt) return relay
    relay.drainRequestedAt = now
    recordRelayAct(em, context, 'relay.drained', id)
    return relay
  })
}

function placeOf({ region: name, edgeUrl }: Pick<Relay, 'region' | 'edgeUrl'>): string {
  return `${name}, ${edgeUrl}`
}

/** Relays belong to the platform, and so does what is done to them. */
function recordRelayAct(
  em: EntityManager,
  { principal, visitorIp, parts }: Context,
  action: 'relay.registered' | 'relay.drained',
  id: string,
  details?: string,
): void {
  recordAct(em, {
    action,
    actor: actorOf(principal),
    organizationId: null,
    target: { type: 'relay', id },
    details,
    ip: visitorIp,
    at: parts.now(),
  })
}

/** All relays, for staff of the platform; nobody else learns of them. */
export async function listRelays({ principal, load }: Context): Promise<Relay[]> {
  return principal.isAdmin ? load.relays() : []
}

/** Relays other than this one that take new sessions. For relays. */
export async function countOtherRelaysReady(
  { principal, parts }: Context,
  relayId: string,
): Promise<number> {
  assertRelay(principal)
  const others = await forkSystem(parts.orm).find(Relay, { id: { $ne: relayId } })
  return others.filter((relay) => relayStatus(relay, parts.now()) === 'READY').length
}

export function relayStatus(relay: Relay, now: Date): RelayStatus {
  if (now.getTime() - relay.lastSeenAt.getTime() > relaySilentMsMax) return 'LOST'
  return relay.draining || relay.drainRequestedAt ? 'DRAINING' : 'READY'
}

/** Throws unless a relay serves the region. Before the first relay has registered every region may come to be. */
export function assertRegion(relays: readonly Relay[], wanted: string): void {
  const regions = [...new Set(relays.map((relay) => relay.region))].toSorted()
  if (regions.includes(wanted)) return
  if (regions.length === 0 && region.safeParse(wanted).success) return
  const details = { region: wanted.slice(0, 64), regions: regions.join(', ') }
  throw new SluiceError('SLUICE_REGION_UNKNOWN', details)
}

function assertRelay(principal: Principal): void {
  if (principal.kind !== 'relay') throw new SluiceError('SLUICE_RELAY_KEY_INVALID')
}

/** Writes the sessions of one heartbeat in two statements, and ends those that should not be there. */
async function keepSessions(parts: Parts, heartbeat: RelayHeartbeat, now: Date): Promise<void> {
  const em = forkSystem(parts.orm)
  const named = heartbeat.sessions
    .filter(({ tunnelId, sessionId }) => isUuid(tunnelId) && sessionId.length <= 64)
    .map(({ tunnelId, sessionId, epoch, since }) => ({
      tunnel_id: tunnelId,
      id: sessionId,
      epoch,
      since,
    }))
  await em.execute(
    `insert into tunnels.agent_session (id, organization_id, tunnel_id, relay_id, epoch, since, last_seen_at)
     select distinct on (named.id) named.id, tunnel.organization_id, tunnel.id, ?, named.epoch, named.since, ?::timestamptz
     from jsonb_to_recordset(?::jsonb) as named(id text, tunnel_id uuid, epoch int, since timestamptz)
     join tunnels.tunnel on tunnel.id = named.tunnel_id
     on conflict (id) do update set last_seen_at = excluded.last_seen_at, ended_at = null`,
    [heartbeat.id, now.toISOString(), JSON.stringify(named)],
  )
  await em.execute(
    `update tunnels.agent_session set ended_at = ?::timestamptz
     where relay_id = ? and ended_at is null and last_seen_at < ?::timestamptz`,
    [now.toISOString(), heartbeat.id, now.toISOString()],
  )
  await revokeStopped(parts, heartbeat, now)
}

/** A stop whose message was lost with Redis reaches the relay here, because the row still says so. */
async function revokeStopped(parts: Parts, heartbeat: RelayHeartbeat, now: Date): Promise<void> {
  const stopped = await forkSystem(parts.orm).execute<{ id: string; at: string }[]>(
    `select distinct tunnel.id, coalesce(tunnel.deleted_at, tunnel.stopped_at) as at
     from tunnels.agent_session as session join tunnels.tunnel on tunnel.id = session.tunnel_id
     where session.relay_id = ? and session.ended_at is null
       and (tunnel.deleted_at is not null or tunnel.started_at is null)
       and coalesce(tunnel.deleted_at, tunnel.stopped_at) < ?::timestamptz - interval '2 seconds'`,
    [heartbeat.id, now.toISOString()],
  )
  for (const { id, at } of stopped) await announceRevocation(parts, id, new Date(at))
}

/** Should Redis be away, a relay learns here that a newer start of a tunnel is served by another one. */
async function listReplaced(parts: Parts, relayId: string): Promise<string[]> {
  const replaced = await forkSystem(parts.orm).execute<{ id: string }[]>(
    `select old.id from tunnels.agent_session as old
     where old.relay_id = ? and old.ended_at is null and exists (
       select 1 from tunnels.agent_session as newer
       where newer.tunnel_id = old.tunnel_id and newer.ended_at is null and newer.epoch > old.epoch
     )`,
    [relayId],
  )
  return replaced.map(({ id }) => id)
}
