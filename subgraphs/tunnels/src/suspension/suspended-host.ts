import { UniqueConstraintViolationException } from '@mikro-orm/core'
import { actorOf, recordAct } from '@sluice/kit/audit'
import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertSignedIn } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import { redisChannels, type Revocation } from '@sluice/schema/redis'

import type { Context, Parts } from '../context.ts'
import { AttachedDomain } from '../domain/attached-domain.entity.ts'
import { Tunnel, type TunnelKind } from '../tunnel/tunnel.entity.ts'
import { SuspendedHost } from './suspended-host.entity.ts'

const reasonCharactersMax = 500
const hostForm =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/
const portForm = /^(?:tcp|udp):[1-9]\d{0,4}$/
/** More than anybody suspends; a relay holds them in memory. */
const suspendedMax = 20_000

/** Why a tunnel is not served. */
export type TunnelSuspension = Pick<SuspendedHost, 'name' | 'reason' | 'at'>

/** Takes an address out of service, at once and on every relay. For staff of the platform only. */
export async function suspendHost(
  context: Context,
  nameText: string,
  reasonText: string,
): Promise<SuspendedHost> {
  const { parts } = context
  const staffId = staffOf(context)
  const name = parseName(nameText)
  const reason = parseReason(reasonText)
  const at = parts.now()
  const suspended = await forkSystem(parts.orm).transactional(async (em) => {
    if ((await em.count(SuspendedHost)) >= suspendedMax) {
      throw new SluiceError('SLUICE_INPUT_INVALID', {
        reason: `${suspendedMax} are suspended already`,
      })
    }
    const tunnel = await findHolder(em, name)
    const organizationId = tunnel?.organizationId ?? null
    const row = em.create(SuspendedHost, { name, organizationId, reason, by: staffId, at })
    em.persist(row)
    recordHostAct(em, context, 'host.suspended', { name, tunnel, reason })
    await em.flush().catch((error: unknown) => {
      // The unique index decides: of two who suspend it at once, one does.
      if (!(error instanceof UniqueConstraintViolationException)) throw error
      throw new SluiceError('SLUICE_SUSPENSION_UNCHANGED', {}, { cause: error })
    })
    return row
  })
  parts.wakeOutbox()
  await announce(parts, { kind: 'host', id: name, at: at.toISOString(), reason })
  return suspended
}

/** Puts an address into service again. Agents serve it once they are started. */
export async function unsuspendHost(context: Context, nameText: string): Promise<string> {
  const { parts } = context
  staffOf(context)
  const name = parseName(nameText)
  await forkSystem(parts.orm).transactional(async (em) => {
    const removed = await em.nativeDelete(SuspendedHost, { name })
    if (removed === 0) throw new SluiceError('SLUICE_SUSPENSION_UNCHANGED')
    recordHostAct(em, context, 'host.unsuspended', { name, tunnel: await findHolder(em, name) })
    await em.flush()
  })
  parts.wakeOutbox()
  await announce(parts, { kind: 'host', id: name, at: parts.now().toISOString(), lifted: true })
  return name
}

/** All suspended addresses, the latest first. For staff. */
export async function suspendedHostPage(
  context: Context,
  args: { first?: number | null | undefined; after?: string | null | undefined },
): Promise<Page<SuspendedHost>> {
  staffOf(context)
  return pageOf(
    args,
    ({ at, id }) => ({ at, id }),
    (rows, after) =>
      forkSystem(context.parts.orm).find(SuspendedHost, afterKeyset('at', after), {
        orderBy: { at: 'desc', id: 'desc' },
        limit: rows,
      }),
  )
}

/** All of them, for a relay to hold. For relay keys only. */
export async function listSuspendedHosts({ principal, parts }: Context): Promise<SuspendedHost[]> {
  if (principal.kind !== 'relay') throw new SluiceError('SLUICE_RELAY_KEY_INVALID')
  return forkSystem(parts.orm).find(SuspendedHost, {}, { limit: suspendedMax })
}

/** The suspension of each tunnel that one keeps from being served: of its own host, a domain or its port. */
export async function loadSuspensions(
  { orm }: Pick<Parts, 'orm'>,
  tunnelIds: readonly string[],
): Promise<Map<string, TunnelSuspension>> {
  const rows = await forkSystem(orm).execute<(TunnelSuspension & { tunnel_id: string })[]>(
    `select distinct on (t.id) t.id as tunnel_id, s.name, s.reason, s.at
     from tunnels.tunnel t
     left join tunnels.attached_domain d on d.tunnel_id = t.id
     join tunnels.suspended_host s
       on s.name in (t.endpoint_host, lower(d.domain), t.kind || ':' || t.port)
     where t.id = any(?::uuid[])`,
    [`{${tunnelIds.filter(isUuid).join(',')}}`],
  )
  return new Map(
    rows.map(({ tunnel_id, name, reason, at }) => [tunnel_id, { name, reason, at: new Date(at) }]),
  )
}

/** Throws SLUICE_TUNNEL_SUSPENDED with the reason: only whoever may start the tunnel asks. */
export async function assertServed(
  parts: Pick<Parts, 'orm'>,
  { id }: Pick<Tunnel, 'id'>,
): Promise<void> {
  const suspension = (await loadSuspensions(parts, [id])).get(id)
  if (!suspension) return
  const { name: endpointHost, reason } = suspension
  throw new SluiceError('SLUICE_TUNNEL_SUSPENDED', { endpointHost, reason })
}

function staffOf({ principal }: Context): string {
  assertSignedIn(principal)
  if (!principal.isAdmin) throw new SluiceError('SLUICE_FORBIDDEN')
  return principal.userId
}

function parseName(text: string): string {
  const name = text.trim().toLowerCase().replace(/\.$/, '')
  if (hostForm.test(name) || portForm.test(name)) return name
  const reason = 'the address is no host name, and neither tcp:<port> nor udp:<port>'
  throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
}

function parseReason(text: string): string {
  const reason = text.normalize('NFC').replaceAll(/\s+/g, ' ').trim()
  if (reason !== '' && reason.length <= reasonCharactersMax) return reason
  throw new SluiceError('SLUICE_INPUT_INVALID', {
    reason: `the reason needs 1 to ${reasonCharactersMax} characters: the customer reads it`,
  })
}

async function findHolder(em: EntityManager, name: string): Promise<Tunnel | null> {
  const [kind = '', port] = name.split(':')
  if (port !== undefined) {
    return em.findOne(Tunnel, { kind: kind as TunnelKind, port: Number(port), deletedAt: null })
  }
  const own = await em.findOne(Tunnel, { endpointHost: name, deletedAt: null })
  if (own) return own
  const attached = await em.findOne(AttachedDomain, { domain: name })
  return attached && em.findOne(Tunnel, { id: attached.tunnelId, deletedAt: null })
}

function recordHostAct(
  em: EntityManager,
  { principal, visitorIp, parts }: Context,
  action: 'host.suspended' | 'host.unsuspended',
  { name, tunnel, reason }: { name: string; tunnel: Tunnel | null; reason?: string },
): void {
  recordAct(em, {
    action,
    actor: actorOf(principal),
    organizationId: tunnel?.organizationId ?? null,
    target: tunnel ? { type: 'tunnel', id: tunnel.id } : { type: 'host', id: name.slice(0, 64) },
    details: reason === undefined ? name : `${name}: ${reason}`,
    ip: visitorIp,
    at: parts.now(),
  })
}

/** Tells relays, after the commit. One that does not hear it reads the list when it has Redis again. */
async function announce({ redis, log }: Parts, revocation: Revocation): Promise<void> {
  await redis
    .publish(redisChannels.revocations, JSON.stringify(revocation))
    .catch((error: unknown) => log.warn({ err: error }, 'a suspension was not told'))
}
