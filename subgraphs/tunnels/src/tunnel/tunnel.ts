import { isDeepStrictEqual } from 'node:util'

import { LockMode } from '@mikro-orm/core'
import type { EntityManager } from '@sluice/kit/database'
import { recordEvent } from '@sluice/kit/outbox'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import type { Context, Parts } from '../context.ts'
import { announceChange, announceRevocation, announceStatus } from './announce.ts'
import { noteEndpointHost } from './endpoint-hosts.ts'
import { webhookSecretsOf } from './policy-secret.ts'
import { parseHostHeader, parsePolicy, type TunnelPolicyInput } from './policy.ts'
import { releaseHost } from './released-host.ts'
import { recordTunnelAct } from './tunnel-act.ts'
import { Tunnel } from './tunnel.entity.ts'

export interface TunnelChanges {
  hostHeader?: string | null | undefined
  policy?: TunnelPolicyInput | null | undefined
  captureBodies?: boolean | null | undefined
}

/** A tunnel that the principal may see. Another organization's counts as missing: an id reveals nothing. */
export async function findTunnelOrNull(
  { load, principal }: Context,
  id: string,
): Promise<Tunnel | null> {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  const tunnel = await load.tunnel.load(id)
  return tunnel && !tunnel.deletedAt ? tunnel : null
}

export async function findTunnel(context: Context, id: string): Promise<Tunnel> {
  const tunnel = await findTunnelOrNull(context, id)
  if (!tunnel) throw new SluiceError('SLUICE_TUNNEL_NOT_FOUND')
  return tunnel
}

/** Finds a tunnel that the principal may start, stop or change. */
export async function findTunnelToChange(
  { em, principal }: Context,
  id: string,
  options: { deletedToo?: boolean } = {},
): Promise<Tunnel> {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  const where = { id, ...(options.deletedToo ? {} : { deletedAt: null }) }
  const tunnel = isUuid(id) ? await em.findOne(Tunnel, where, { refresh: true }) : null
  if (!tunnel) throw new SluiceError('SLUICE_TUNNEL_NOT_FOUND')
  assertMay(principal, tunnel.organizationId, 'tunnels.manage')
  return tunnel
}

/** Changes what is given and leaves the rest. The edge follows at once: relays have the agent fetch a new token. */
export async function updateTunnel(
  context: Context,
  id: string,
  changes: TunnelChanges,
): Promise<Tunnel> {
  const changed = await parseChanges(context.parts, changes)
  const tunnel = await changeTunnel(context, id, (one, em) => {
    const what = assignChanges(one, changed(one))
    if (what !== '') recordTunnelAct(em, context, 'tunnel.changed', one, what)
  })
  if (tunnel.startedAt) await announceChange(context.parts, [tunnel.id])
  return tunnel
}

/** Ends the session of a tunnel and keeps its name. Stopping a stopped tunnel changes nothing. */
export async function stopTunnel(context: Context, id: string): Promise<Tunnel> {
  const at = context.parts.now()
  let stopped = false
  const tunnel = await changeTunnel(context, id, (one, em) => {
    stopped = one.startedAt !== null
    if (!stopped) return
    Object.assign(one, { startedAt: null, stoppedAt: at })
    recordTunnelAct(em, context, 'tunnel.stopped', one)
  })
  if (stopped) {
    await announceRevocation(context.parts, tunnel.id, at)
    await announceStatus(context.parts, tunnel, 'STOPPED')
  }
  return tunnel
}

/** Ends the session of a tunnel and frees its name, at first for its own organization. */
export async function deleteTunnel(context: Context, id: string): Promise<string> {
  const at = context.parts.now()
  const tunnel = await changeTunnel(context, id, (one, em) => {
    Object.assign(one, { startedAt: null, stoppedAt: at, deletedAt: at })
    releaseHost(em, one, at)
    recordEvent(em, 'tunnel.deleted', `tunnel:${one.id}`, {
      organizationId: one.organizationId,
      tunnelId: one.id,
      endpointHost: one.endpointHost,
    })
    recordTunnelAct(em, context, 'tunnel.deleted', one)
  })
  context.parts.wakeOutbox()
  await announceRevocation(context.parts, tunnel.id, at)
  if (tunnel.port === null) await noteEndpointHost(context.parts, tunnel.endpointHost, null)
  await announceStatus(context.parts, tunnel, 'DELETED')
  return tunnel.id
}

/** Only what was given: null takes a host header away, while a policy of null is the same as none given. */
export async function parseChanges(
  { webhooks: { sealer } }: Pick<Parts, 'webhooks'>,
  { hostHeader, policy, captureBodies }: TunnelChanges,
) {
  const prepared = policy ? await parsePolicy(policy) : undefined
  const parsed = {
    ...(hostHeader === undefined ? {} : { hostHeader: parseHostHeader(hostHeader) }),
    ...(typeof captureBodies === 'boolean' ? { captureBodies } : {}),
  }
  return (tunnel: Tunnel) => ({
    ...parsed,
    ...(prepared
      ? {
          policy: prepared(
            tunnel.kind ?? 'http',
            tunnel.policy,
            webhookSecretsOf(sealer, tunnel.id),
          ),
        }
      : {}),
  })
}

/** Puts the changes on a tunnel; returns the names of what is another now, with commas between. */
export function assignChanges(tunnel: Tunnel, changes: Partial<Tunnel>): string {
  const names = Object.entries(changes)
    .filter(([name, value]) => !isDeepStrictEqual(tunnel[name as keyof Tunnel], value))
    .map(([name]) => name)
  Object.assign(tunnel, changes)
  return names.join(', ')
}

/** Changes one tunnel under a lock on its row, so that two changes never see the same state. */
export async function changeTunnel(
  { em, principal, load }: Context,
  id: string,
  change: (tunnel: Tunnel, em: EntityManager) => void,
): Promise<Tunnel> {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  const changed = await em.transactional(async (locked) => {
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true }
    const tunnel = isUuid(id) ? await locked.findOne(Tunnel, { id, deletedAt: null }, lock) : null
    if (!tunnel) throw new SluiceError('SLUICE_TUNNEL_NOT_FOUND')
    assertMay(principal, tunnel.organizationId, 'tunnels.manage')
    change(tunnel, locked)
    return tunnel
  })
  load.tunnel.clear(id)
  return changed
}
