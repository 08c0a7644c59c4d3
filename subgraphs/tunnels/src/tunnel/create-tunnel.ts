import { UniqueConstraintViolationException } from '@mikro-orm/core'
import { recordEvent } from '@sluice/kit/outbox'
import { assertMay } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { lockOrganization } from '../organization/organization.ts'
import { assertRegion } from '../relay/relay.ts'
import { announceStatus } from './announce.ts'
import { noteEndpointHost } from './endpoint-hosts.ts'
import { webhookSecretsOf } from './policy-secret.ts'
import { parseHostHeader, parsePolicy } from './policy.ts'
import { takeHost } from './released-host.ts'
import { recordTunnelAct } from './tunnel-act.ts'
import { countCreation } from './tunnel-attempts.ts'
import { parseTunnelName, randomTunnelName } from './tunnel-name.ts'
import { assertKind, freePortOf, parsePort, hasPort } from './tunnel-port.ts'
import { endpointHostOf } from './tunnel-urls.ts'
import { Tunnel, type TunnelKind } from './tunnel.entity.ts'
import type { TunnelChanges } from './tunnel.ts'

export interface TunnelInput extends TunnelChanges {
  name?: string | null | undefined
  kind?: TunnelKind | null | undefined
  port?: number | null | undefined
  region?: string | null | undefined
}

/** A random name is one of 14 million: several taken in a row is not chance but a bug. */
const randomNameAttemptsMax = 5
/** Others who create at once may take the same free port first. */
const portAttemptsMax = 30

/** Makes a tunnel with a name that nobody has. It stands still until it is started. */
export async function createTunnel(
  context: Context,
  organizationId: string,
  input: TunnelInput,
): Promise<Tunnel> {
  assertMay(context.principal, organizationId, 'tunnels.manage')
  await countCreation(context, organizationId)
  const wanted = input.name ? parseTunnelName(input.name) : null
  const relays = await context.load.relays()
  if (input.region) assertRegion(relays, input.region)
  const kind = input.kind ?? 'http'
  const port = parsePort(context.parts.tunnelPorts, kind, input.port)
  await assertKind(context, organizationId, kind)
  const id = crypto.randomUUID()
  const secrets = webhookSecretsOf(context.parts.webhooks.sealer, id)
  const fields = {
    id,
    organizationId,
    kind,
    hostHeader: parseHostHeader(input.hostHeader),
    policy: (await parsePolicy(input.policy ?? {}))(kind, {}, secrets),
    captureBodies: input.captureBodies ?? false,
    region: input.region || null,
    ownerId: context.principal.userId,
    relayId: null,
    startedAt: null,
    stoppedAt: null,
    deletedAt: null,
  }

  for (let attempt = 1; ; attempt += 1) {
    const name = wanted ?? randomTunnelName()
    const endpointHost = endpointHostOf(name, relays, context.parts.publicTunnelUrls)
    try {
      const free = hasPort(kind) ? (port ?? (await freePortOf(context, kind))) : null
      const tunnel = await insert(context, { ...fields, name, endpointHost, port: free })
      context.parts.wakeOutbox()
      if (free === null) await noteEndpointHost(context.parts, endpointHost, tunnel.id)
      await announceStatus(context.parts, tunnel, 'STOPPED')
      return tunnel
    } catch (error) {
      // The unique index decides, not a read before the write: two may ask at once.
      if (isPortTaken(error)) {
        if (port === null && attempt < portAttemptsMax) continue
        throw new SluiceError('SLUICE_PORT_TAKEN', { port: port ?? '' }, { cause: error })
      }
      if (!isHostTaken(error)) throw error
      if (wanted === null && attempt < randomNameAttemptsMax) continue
      throw new SluiceError('SLUICE_ENDPOINT_HOST_TAKEN', { endpointHost }, { cause: error })
    }
  }
}

function isPortTaken(error: unknown): boolean {
  if (!(error instanceof UniqueConstraintViolationException)) return false
  return 'constraint' in error && error.constraint === 'tunnel_port'
}

function isHostTaken(error: unknown): boolean {
  if (error instanceof SluiceError) return error.code === 'SLUICE_ENDPOINT_HOST_TAKEN'
  return error instanceof UniqueConstraintViolationException
}

type NewTunnel = Pick<
  Tunnel,
  | 'id'
  | 'organizationId'
  | 'name'
  | 'endpointHost'
  | 'kind'
  | 'port'
  | 'hostHeader'
  | 'policy'
  | 'captureBodies'
  | 'region'
  | 'ownerId'
  | 'relayId'
  | 'startedAt'
  | 'stoppedAt'
  | 'deletedAt'
>

async function insert(context: Context, fields: NewTunnel): Promise<Tunnel> {
  return context.em.transactional(async (own) => {
    // Under the lock the count holds until the commit, however many create at once.
    const { maxTunnels } = await lockOrganization(own, fields.organizationId)
    const { organizationId } = fields
    const count = await own.count(Tunnel, { organizationId, deletedAt: null })
    if (count >= maxTunnels) throw new SluiceError('SLUICE_TUNNELS_MAX', { max: maxTunnels })
    const tunnel = own.create(Tunnel, fields)
    await own.persist(tunnel).flush()
    await takeHost(own, tunnel, context.parts.now())
    recordEvent(own, 'tunnel.created', `tunnel:${tunnel.id}`, {
      organizationId,
      tunnelId: tunnel.id,
      endpointHost: fields.endpointHost,
    })
    recordTunnelAct(own, context, 'tunnel.created', tunnel)
    return tunnel
  })
}
