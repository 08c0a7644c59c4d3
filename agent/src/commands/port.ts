import type { ProxyProtocolVersion } from '@sluice/wire'

import { warnOfEnd } from '../authtoken-end.ts'
import { openAgain } from '../open-again.ts'
import { createTargetGuard } from '../target-guard.ts'
import { addressText, parsePortTarget } from '../target.ts'
import { startTunnelInput } from '../tunnel-input.ts'
import { apiOf, type CommandContext } from './context.ts'
import { createView, findLogin, serveShown } from './shown-tunnel.ts'

export type PortKind = 'TCP' | 'TLS' | 'UDP'

export interface PortFlags {
  readonly name?: string
  readonly port?: number
  readonly allowIp?: readonly string[]
  readonly denyIp?: readonly string[]
  readonly rateLimit?: string
  readonly bandwidth?: string
  readonly region?: string
  readonly allowTarget?: readonly string[]
  readonly proxyProtocol?: ProxyProtocolVersion
}

/** Opens a tunnel of bytes or datagrams to the target and serves it until the person stops, or somebody else does. */
export async function runPort(
  kind: PortKind,
  target: string,
  flags: PortFlags,
  context: CommandContext,
): Promise<void> {
  const { settings, io, output } = context
  const upstream = parsePortTarget(kind.toLowerCase(), target)
  const input = {
    ...startTunnelInput(flags, io.env),
    kind,
    ...(flags.port === undefined ? {} : { port: flags.port }),
  }
  const api = apiOf(context)
  const { ca, proxyOf } = settings
  const guard = createTargetGuard(flags.allowTarget)
  const raw = { proxyProtocol: flags.proxyProtocol }
  const served = [
    kind.toLowerCase(),
    addressText(upstream),
    ...(flags.port ? [flags.port] : []),
  ].join(' ')
  const [tunnel, loggedInAs] = await Promise.all([
    openAgain(settings, served, {
      api,
      input,
      upstream,
      ca,
      proxyOf,
      guard,
      raw,
      signal: io.signal,
    }),
    findLogin(api),
    warnOfEnd(api, output, settings),
  ])
  output.message(`Connecting ${tunnel.name} …`)

  const view = createView(context)
  try {
    const relayUrl = await tunnel.reached()
    const unreached = await tunnel.checkPort()
    const { id: tunnelId, name, urls, region, organization } = tunnel
    if (unreached !== undefined) {
      output.warning(
        `${urls[0] ?? ''} did not answer this machine: ${unreached}. Visitors elsewhere may reach it.`,
      )
    }
    const ready = {
      tunnelId,
      name,
      kind,
      urls,
      target: addressText(upstream),
      region,
      loggedInAs,
      organization,
      relayUrl,
      inspectorUrl: null,
      ...(unreached === undefined ? {} : { unreached }),
    }
    await serveShown(tunnel, view, ready)
  } catch (error) {
    view.close()
    throw await tunnel.explain(error)
  } finally {
    view.close()
    await tunnel.close({ graceMs: 0 })
  }
}
