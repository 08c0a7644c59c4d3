import type { Api } from '../api.ts'
import type { OpenTunnel } from '../open-tunnel.ts'
import { createScreenView } from '../screen-view.ts'
import type { AgentSession } from '../session/agent-session.ts'
import { createJsonView, createPlainView, type TunnelView } from '../tunnel-view.ts'
import { findViewer, viewerText } from '../viewer.ts'
import type { CommandContext } from './context.ts'

/** How long requests and connections in flight may go on after Ctrl-C. */
const graceMs = 10_000

/** Shows an open tunnel until it ends, and lets what is in flight finish. */
export async function serveShown(
  tunnel: Pick<OpenTunnel, 'session' | 'untilEnded' | 'close'>,
  view: TunnelView,
  ready: Parameters<TunnelView['ready']>[0],
): Promise<void> {
  show(tunnel.session, view)
  view.ready(ready)
  await tunnel.untilEnded()
  view.closing()
  await tunnel.close({ graceMs })
  view.close()
  view.stopped(ready)
}

/** Tells the view what the session does. */
function show(session: AgentSession, view: TunnelView): void {
  session.on('online', () => view.online())
  session.on('offline', ({ reason, retryInMs }) => view.offline(reason, retryInMs))
  session.on('latency', ({ ms }) => view.latency(ms))
  session.on('connections', ({ open, total }) => view.connections(open, total))
  session.on('request', (request) => view.request(request))
  session.on('connection', (connection) => view.connection(connection))
}

/** The live screen on a terminal, lines or JSON elsewhere. */
export function createView({ io, output }: CommandContext): TunnelView {
  const { stdin, stdout, env } = io
  if (output.json) return createJsonView(output)
  if (!stdout.isTTY || output.quiet || env['TERM'] === 'dumb') return createPlainView(output)
  return createScreenView({
    stdin,
    stdout,
    output,
    quit: () => io.quit(),
    interrupt: () => io.interrupt(),
    onExit: (restore) => io.onExit(restore),
  })
}

/** For the eye only: a tunnel opens without it. */
export async function findLogin(api: Api): Promise<string> {
  try {
    return viewerText(await findViewer(api))
  } catch {
    // Whatever is wrong, the mutation beside it meets it too, and its failure is the one to show.
    return 'not known'
  }
}
