import { browse, copy } from './desktop.ts'
import type { Output, Style } from './output.ts'
import { screenLines, type ScreenRequest, type ScreenState } from './screen-lines.ts'
import { openScreen, type Screen } from './screen.ts'
import { stoppedText, type ReadyTunnel, type TunnelView } from './tunnel-view.ts'
import { version } from './version.ts'

/** More rows than any terminal has. */
const requestsMax = 200
/** While offline, the seconds until the next attempt count down. */
const countdownMs = 1_000

export interface ScreenViewOptions {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly output: Output
  readonly quit: () => void
  readonly interrupt: () => void
  readonly onExit: (restore: () => void) => () => void
}

/** The live screen of one tunnel. It takes the terminal when the tunnel is ready, not before. */
export function createScreenView({ output, ...terminal }: ScreenViewOptions): TunnelView {
  const paint = (style: Style, text: string) => output.style(style, text)
  let screen: Screen | null = null
  let countdown: NodeJS.Timeout | null = null
  const requests: ScreenRequest[] = []
  let state: ScreenState = {
    version,
    status: { kind: 'online' },
    loggedInAs: '',
    region: '',
    latencyMs: null,
    urls: [],
    target: '',
    targetRefused: false,
    inspectorUrl: null,
    connections: { open: 0, total: 0 },
    requests,
    requestsTotal: 0,
    kind: 'HTTP',
  }

  function change(part: Partial<ScreenState>): void {
    state = { ...state, ...part }
    screen?.changed()
    if (state.status.kind === 'offline' && screen) {
      countdown ??= setInterval(() => screen?.changed(), countdownMs)
    } else if (countdown) {
      clearInterval(countdown)
      countdown = null
    }
  }

  function add(request: ScreenRequest): void {
    requests.unshift(request)
    if (requests.length > requestsMax) requests.pop()
    change({ requestsTotal: state.requestsTotal + 1 })
  }

  return {
    ready({ kind = 'HTTP', targetRefused = false, ...tunnel }: ReadyTunnel) {
      const { loggedInAs, region, urls, target, inspectorUrl } = tunnel
      change({ loggedInAs, region, urls, target, inspectorUrl, kind, targetRefused })
      const [url = ''] = urls
      screen = openScreen({
        ...terminal,
        keys: {
          o: () => browse(url),
          c: () => copy(url, terminal.stdout),
          ...(inspectorUrl === null ? {} : { i: () => browse(inspectorUrl) }),
        },
        lines: (size) => screenLines(state, size, paint, Date.now()),
      })
    },
    online: () => change({ status: { kind: 'online' } }),
    offline: (reason, retryInMs) =>
      change({ status: { kind: 'offline', reason, retryAtMs: Date.now() + retryInMs } }),
    latency: (latencyMs) => change({ latencyMs }),
    connections: (open, total) => change({ connections: { open, total } }),
    request(request) {
      // What visitors meet is the newest word on whether the service listens.
      const targetRefused = request.code === 'SLUICE_UPSTREAM_REFUSED'
      add(request)
      change({ targetRefused })
    },
    connection({ visitorIp, visitorPort, bytesOut, ...connection }) {
      const path = `${visitorIp.includes(':') ? `[${visitorIp}]` : visitorIp}:${visitorPort}`
      add({ ...connection, method: state.kind, path, status: 0, responseBytes: bytesOut })
    },
    closing: () => change({ status: { kind: 'closing' } }),
    close() {
      if (countdown) clearInterval(countdown)
      countdown = null
      screen?.close()
      screen = null
    },
    stopped({ name, urls }) {
      const what = state.kind === 'HTTP' ? 'requests' : 'connections'
      output.message(`${urls[0] ?? ''}: ${state.requestsTotal} ${what}.`)
      output.message(stoppedText(name))
    },
  }
}
