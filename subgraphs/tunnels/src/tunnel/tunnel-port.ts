import { forkSystem } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import type { Context, PortRange, TunnelPorts } from '../context.ts'
import { entitlementsOf } from '../organization/organization.ts'
import type { TunnelKind } from './tunnel.entity.ts'

type PortKind = 'tcp' | 'udp'

/** Whether visitors find tunnels of this kind by a port of their own, and not by name. */
export function hasPort(kind: TunnelKind): kind is PortKind {
  return kind === 'tcp' || kind === 'udp'
}

/** The port that was asked for; null when any will do. */
export function parsePort(
  ports: TunnelPorts,
  kind: TunnelKind,
  port: number | null | undefined,
): number | null {
  if (typeof port !== 'number') return null
  if (!hasPort(kind)) {
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason: `${kind} tunnels have no port.` })
  }
  const range = rangeOf(ports, kind)
  if (port >= range.first && port <= range.last) return port
  throw new SluiceError('SLUICE_PORT_OUTSIDE', { port, ports: `${range.first} to ${range.last}` })
}

/** Throws unless this server has such tunnels, and the organization’s plan too. */
export async function assertKind(
  { em, parts }: Context,
  organizationId: string,
  kind: TunnelKind,
): Promise<void> {
  if (!hasPort(kind)) return
  rangeOf(parts.tunnelPorts, kind)
  if (parts.tunnelPorts.forAllPlans) return
  const { portTunnels } = await entitlementsOf(em, organizationId)
  if (!portTunnels) throw new SluiceError('SLUICE_TUNNEL_KIND_UNAVAILABLE', { kind })
}

/** A port that no tunnel has now. Another start may take it first: the unique index decides. */
export async function freePortOf({ parts }: Context, kind: PortKind): Promise<number> {
  const { first, last } = rangeOf(parts.tunnelPorts, kind)
  // Ports are taken by all organizations. In random order, so that those who ask at once rarely meet.
  const [free] = await forkSystem(parts.orm).execute<{ port: number }[]>(
    `select port from generate_series(?::int, ?::int) as port
     where not exists (select from tunnels.tunnel
       where tunnel.kind = ? and tunnel.port = port.port and tunnel.deleted_at is null)
     order by random() limit 1`,
    [first, last, kind],
  )
  if (free) return free.port
  throw new SluiceError('SLUICE_PORTS_EXHAUSTED', { protocol: kind, max: last - first + 1 })
}

function rangeOf(ports: TunnelPorts, kind: PortKind): PortRange {
  const range = ports[kind]
  if (!range) throw new SluiceError('SLUICE_TUNNEL_KIND_UNAVAILABLE', { kind })
  return range
}
