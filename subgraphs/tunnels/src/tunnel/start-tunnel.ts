import { setTimeout as sleep } from 'node:timers/promises'

import { assertMay, type Principal } from '@sluice/kit/principal'
import {
  agentTokenAudience,
  agentTokenSeconds,
  agentTokenType,
  tokenIssuer,
  type AgentTokenClaims,
} from '@sluice/schema/claims'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { domainsOf } from '../domain/attached-domain.ts'
import { termsOf } from '../organization/organization.ts'
import { assignEdges } from '../relay/assign-edges.ts'
import type { Relay } from '../relay/relay.entity.ts'
import { assertRegion } from '../relay/relay.ts'
import { assertServed } from '../suspension/suspended-host.ts'
import { announceStatus } from './announce.ts'
import { createTunnel, type TunnelInput } from './create-tunnel.ts'
import { webhookSecretsOf } from './policy-secret.ts'
import { recordTunnelAct } from './tunnel-act.ts'
import { countStart } from './tunnel-attempts.ts'
import { parseTunnelName } from './tunnel-name.ts'
import { assertKind, hasPort } from './tunnel-port.ts'
import { Tunnel } from './tunnel.entity.ts'
import { assignChanges, changeTunnel, findTunnelToChange, parseChanges } from './tunnel.ts'

export interface StartTunnelInput extends TunnelInput {
  organizationId?: string | null | undefined
  tunnelId?: string | null | undefined
  /** Serves together with the agents that have started it so, instead of taking over. */
  pooling?: boolean | null | undefined
}

export interface AgentTokenGrant {
  agentToken: string
  expiresAt: Date
  epoch: number
  hostHeader: string | null
  relays: Relay[]
}

export interface StartedTunnel {
  tunnel: Tunnel
  relays: Relay[]
  grant: AgentTokenGrant
}

/** Starts a tunnel, made first if it has to be, and says where the agent dials and with which agent token. */
export async function startTunnel(
  context: Context,
  input: StartTunnelInput,
): Promise<StartedTunnel> {
  const { parts, load } = context
  const changes = await parseChanges(context.parts, input)
  const relays = await load.relays()
  if (input.region) assertRegion(relays, input.region)
  const found = await findOrCreate(context, input)
  const { id, region } = found
  assertSame(found, input)
  await assertKind(context, found.organizationId, found.kind)
  await assertServed(context.parts, found)
  await countStart(context, found.organizationId)
  // Picked before the epoch rises: without a relay a running session stays as it is.
  const { edgeAssignment, now } = parts
  const picked = assignEdges(relays, input.region || region || null, now(), edgeAssignment)
  const pooling = input.pooling ?? false

  const tunnel = await changeTunnel(context, id, (one, em) => {
    const changed = assignChanges(one, changes(one))
    Object.assign(one, {
      // One more of a pool joins the start of the others.
      epoch: pooling && one.pooling && one.startedAt ? one.epoch : one.epoch + 1,
      pooling,
      startedAt: now(),
      relayId: picked[0]?.id ?? null,
      ...(input.region ? { region: input.region } : {}),
    })
    recordTunnelAct(em, context, 'tunnel.started', one, changed && `with another ${changed}`)
  })
  await passSecondOf(tunnel.stoppedAt, parts.now)
  const grant = await grantAgentToken(context, tunnel, picked)
  const live = await load.live.load(tunnel.id)
  if (!live) await announceStatus(parts, tunnel, 'OFFLINE')
  return { tunnel, relays: picked, grant }
}

/** A new agent token for the session of this epoch. Refused once the tunnel was started again, or stopped. */
export async function renewAgentToken(
  context: Context,
  tunnelId: string,
  epoch: number,
): Promise<AgentTokenGrant> {
  const tunnel = await findTunnelToChange(context, tunnelId, { deletedToo: true })
  if (tunnel.deletedAt || !tunnel.startedAt) throw new SluiceError('SLUICE_SESSION_REVOKED')
  await assertServed(context.parts, tunnel)
  if (tunnel.epoch !== epoch) throw new SluiceError('SLUICE_SESSION_REPLACED')
  return grantAgentToken(context, tunnel, await edgesNow(context, tunnel))
}

/** Where the agent of a started tunnel may go from now on. While no relay is ready it has to make do with those it knows. */
async function edgesNow({ load, parts }: Context, { region }: Tunnel): Promise<Relay[]> {
  try {
    return assignEdges(await load.relays(), region ?? null, parts.now(), parts.edgeAssignment)
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'SLUICE_RELAY_UNAVAILABLE') return []
    throw error
  }
}

async function findOrCreate(context: Context, input: StartTunnelInput): Promise<Tunnel> {
  if (input.tunnelId) return findTunnelToChange(context, input.tunnelId)
  const organizationId = organizationOf(context, input)
  assertMay(context.principal, organizationId, 'tunnels.manage')
  if (!input.name) return createTunnel(context, organizationId, input)

  const name = parseTunnelName(input.name)
  const existing = () =>
    context.em.findOne(Tunnel, { organizationId, name, deletedAt: null }, { refresh: true })
  const found = await existing()
  if (found) return found
  try {
    return await createTunnel(context, organizationId, input)
  } catch (error) {
    // Another agent of the organization may have made it a moment ago: then it is started a second time.
    if (!(error instanceof SluiceError) || error.code !== 'SLUICE_ENDPOINT_HOST_TAKEN') throw error
    const made = await existing()
    if (!made) throw error
    return made
  }
}

/** A tunnel keeps the kind and the port that it was made with. */
function assertSame({ name, kind, port }: Tunnel, input: StartTunnelInput): void {
  if (input.kind && input.kind !== kind) {
    throw new SluiceError('SLUICE_TUNNEL_KIND_MISMATCH', { name, kind })
  }
  if (typeof input.port === 'number' && input.port !== port) {
    const reason = `the tunnel ${name} has ${port === null ? 'no port' : `port ${port}`}.`
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
  }
}

/** The organization that was named, or the only one there is: an authtoken belongs to one. */
function organizationOf({ principal }: Context, { organizationId }: StartTunnelInput): string {
  if (organizationId) return organizationId
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  const [only, ...others] = principal.memberships
  if (only && others.length === 0) return only.organizationId
  throw new SluiceError('SLUICE_INPUT_INVALID', { reason: 'organizationId is needed.' })
}

/**
 * `iat` counts whole seconds, a revocation names an instant: a token signed in the second of the stop would look
 * older than the stop. So a start right after a stop waits until that second is over.
 */
async function passSecondOf(stoppedAt: Date | null | undefined, now: () => Date): Promise<void> {
  if (!stoppedAt) return
  const nextSecondMs = Math.floor(stoppedAt.getTime() / 1000 + 1) * 1000
  const waitMs = nextSecondMs - now().getTime()
  if (waitMs > 0) await sleep(Math.min(waitMs, 1000))
}

async function grantAgentToken(
  { em, principal, parts }: Context,
  tunnel: Tunnel,
  relays: Relay[],
): Promise<AgentTokenGrant> {
  const { entitlements, visitNotice } = await termsOf(em, tunnel.organizationId)
  const { kind, port } = tunnel
  const { bandwidthBytesPerSecond, webhook, ...rest } = tunnel.policy
  const secrets = webhookSecretsOf(parts.webhooks.sealer, tunnel.id)
  const policy = webhook ? { ...rest, webhook: secrets.open(webhook) } : rest
  const claims: Omit<AgentTokenClaims, 'iat' | 'exp'> = {
    iss: tokenIssuer,
    aud: agentTokenAudience,
    jti: crypto.randomUUID(),
    sub: principal.id,
    organizationId: tunnel.organizationId,
    tunnelId: tunnel.id,
    kind,
    // Without a name to ask for, a port is all that leads to the tunnel.
    endpointHosts: hasPort(kind) ? [] : [tunnel.endpointHost, ...(await domainsOf(em, tunnel))],
    ...(port === null ? {} : { endpointPort: port }),
    tlsMode: kind === 'tls' ? 'passthrough' : 'terminate',
    region: relays[0]?.region ?? tunnel.region ?? '',
    epoch: tunnel.epoch,
    ...(tunnel.pooling ? { pooling: true } : {}),
    policy: visitNotice ? { ...policy, interstitial: true } : policy,
    ...(bandwidthBytesPerSecond === undefined ? {} : { bandwidthBytesPerSecond }),
    maxConcurrentConns: entitlements.maxConcurrentConnections,
    ...(tunnel.captureBodies ? { captureBodies: true } : {}),
  }
  const { seconds, final } = lifeOf(principal, parts.now())
  const expiresAt = new Date((Math.floor(parts.now().getTime() / 1000) + seconds) * 1000)
  const agentToken = await parts.keys.sign(
    agentTokenType,
    final ? { ...claims, final } : claims,
    seconds,
  )
  const { epoch, hostHeader = null } = tunnel
  return { agentToken, expiresAt, epoch, hostHeader, relays }
}

/** An agent token outlives neither five minutes nor the authtoken it was issued for. */
function lifeOf({ expiresAt }: Principal, now: Date): { seconds: number; final?: true } {
  if (expiresAt === undefined) return { seconds: agentTokenSeconds }
  const leftSeconds = Math.floor((Date.parse(expiresAt) - now.getTime()) / 1000)
  if (leftSeconds >= agentTokenSeconds) return { seconds: agentTokenSeconds }
  return { seconds: Math.max(1, leftSeconds), final: true }
}
