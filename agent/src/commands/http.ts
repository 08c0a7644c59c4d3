import { warnOfEnd } from '../authtoken-end.ts'
import { openInspectorFor } from '../inspector/open-inspector-for.ts'
import { openAgain } from '../open-again.ts'
import { needsWebhookSecret, webhookSecretVariable } from '../policy-flags.ts'
import { isRefused } from '../probe-upstream.ts'
import { readSecret } from '../prompt.ts'
import { openAgentSession } from '../session/agent-session.ts'
import { createTargetGuard } from '../target-guard.ts'
import { parseTarget, targetText } from '../target.ts'
import { assertConnections, startTunnelInput, type HttpFlags } from '../tunnel-input.ts'
import { nothingListens } from '../tunnel-view.ts'
import { apiOf, type CommandContext } from './context.ts'
import { createView, findLogin, serveShown } from './shown-tunnel.ts'

/** Opens a tunnel to the target and serves it until the person stops, or somebody else does. */
export async function runHttp(
  target: string,
  flags: HttpFlags,
  context: CommandContext,
  openSession: typeof openAgentSession = openAgentSession,
): Promise<void> {
  const { settings, io, output } = context
  const upstream = parseTarget(target, flags.upstreamProtocol)
  const input = startTunnelInput(flags, await withWebhookSecret(flags, io))
  const api = apiOf(context)
  const { ca, proxyOf } = settings
  const guard = createTargetGuard(flags.allowTarget)
  const inspector = await openInspectorFor(flags, output)
  const hostHeader = flags.hostHeader ?? 'preserve'
  const shownName = flags.name ?? targetText(upstream)
  const tap = inspector?.inspect(shownName, { upstream, hostHeader, guard })
  const { proxyProtocol } = flags
  assertConnections(proxyProtocol, upstream)
  const way = { upstream, ca, proxyOf, guard, tap, proxyProtocol }
  const options = { api, input, ...way, signal: io.signal, openSession }
  const tunnelAndLogin = Promise.all([
    openAgain(settings, targetText(upstream), options),
    findLogin(api),
    warnOfEnd(api, output, settings),
  ])
  tunnelAndLogin.catch(() => inspector?.close())
  const [tunnel, loggedInAs] = await tunnelAndLogin
  // The server may have stored another Host than the flags say: replays get what visitors get.
  inspector?.inspect(shownName, { upstream, hostHeader: tunnel.hostHeader, guard })
  output.message(`Connecting ${tunnel.name} …`)

  const view = createView(context)
  try {
    const [relayUrl, refused] = await Promise.all([tunnel.reached(), isRefused(upstream, guard)])
    if (refused) output.warning(nothingListens(targetText(upstream)))
    const { id: tunnelId, name, urls, region, organization } = tunnel
    const ready = {
      tunnelId,
      name,
      urls,
      target: targetText(upstream),
      region,
      loggedInAs,
      organization,
      relayUrl,
      inspectorUrl: inspector?.url ?? null,
      ...(refused ? { targetRefused: true } : {}),
    }
    await serveShown(tunnel, view, ready)
  } catch (error) {
    view.close()
    throw await tunnel.explain(error)
  } finally {
    // The way out of a failure: an orderly end has come by here already, and closing twice is nothing.
    view.close()
    await Promise.all([tunnel.close({ graceMs: 0 }), inspector?.close()])
  }
}

/** The environment, with the signing secret that was asked for on the terminal when it stands nowhere. */
async function withWebhookSecret(flags: HttpFlags, io: CommandContext['io']) {
  if (!needsWebhookSecret(flags, io.env) || !io.stdin.isTTY) return io.env
  const secret = await readSecret(`Signing secret of ${flags.verifyWebhook}: `, io)
  return { ...io.env, [webhookSecretVariable]: secret }
}
