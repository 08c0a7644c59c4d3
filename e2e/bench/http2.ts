import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import type { Benchmark, Figures } from './figures.ts'
import { startKeys } from './keys.ts'
import { startHttp2Proxy, startNginx } from './nginx.ts'
import { cpuSecondsOf, startNode, stop } from './process.ts'

const apex = 'tunnel.localhost'
const host = `app.${apex}`
const relayMain = fileURLToPath(new URL('../../relay/src/main.ts', import.meta.url))
const agentMain = fileURLToPath(new URL('../../agent/src/session/main.ts', import.meta.url))
/** Options of the load generator, by the name of the figures: HTTP/2, and HTTP/1.1 over TLS. */
const loads: Readonly<Record<string, readonly string[]>> = {
  'http2.c8m8': ['-c8', '-m8'],
  'tls.c64': ['--h1', '-c64'],
}

interface Way {
  readonly name: 'nginx' | 'sluice'
  readonly port: number
  /** Processes between the driver and the upstream. */
  readonly pids: readonly number[]
}

interface Measured {
  readonly rps: number
  readonly cpuMicroseconds: number
}

/** Small responses over TLS, as HTTP/2 and as HTTP/1.1: nginx as a reverse proxy and Sluice before the same upstream, in the same run. */
export const http2Benchmark: Benchmark = {
  run: benchHttp2,
  aims: {},
}

async function benchHttp2({ quick }: { quick: boolean }): Promise<Figures> {
  findH2load()
  await using closing = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  // The workers of an nginx that root started run as somebody else.
  chmodSync(folder, 0o755)
  closing.defer(() => rmSync(folder, { recursive: true, force: true }))
  const certificate = makeCertificate(folder)
  // Nothing is uploaded here: the sink is never asked.
  const nginx = await startNginx(folder, 9)
  for (const child of nginx.children) closing.defer(() => stop(child))
  const proxy = await startHttp2Proxy(folder, nginx.originPort, certificate)
  closing.defer(() => stop(proxy.child))
  const sluice = await startSluice(closing, nginx.originPort, certificate)
  const ways: Way[] = [
    { name: 'nginx', ...proxy },
    { name: 'sluice', ...sluice },
  ]

  const rounds = quick ? 1 : 3
  const seconds = quick ? 2 : 4
  const figures: Figures = {}
  for (const [label, options] of Object.entries(loads)) {
    const results: Record<Way['name'], Measured[]> = { nginx: [], sluice: [] }
    for (const way of ways) await load(way, options, 1)
    for (let round = 0; round < rounds; round += 1) {
      for (const way of ways) results[way.name].push(await load(way, options, seconds))
    }
    Object.assign(figures, figuresOf(label, results))
  }
  return figures
}

function figuresOf(label: string, results: Record<Way['name'], Measured[]>): Figures {
  const figures: Figures = {}
  for (const [name, measured] of Object.entries(results)) {
    figures[`${label}.${name}.rps`] = median(measured.map(({ rps }) => rps))
    figures[`${label}.${name}.cpu_us`] = median(
      measured.map(({ cpuMicroseconds }) => cpuMicroseconds),
    )
  }
  const ratio = (value: (one: Measured) => number) =>
    median(results.sluice.map((one, round) => value(one) / value(results.nginx[round] ?? one)))
  figures[`${label}.rps_vs_nginx`] = ratio(({ rps }) => rps)
  figures[`${label}.cpu_vs_nginx`] = ratio(({ cpuMicroseconds }) => cpuMicroseconds)
  return figures
}

/** One run of nghttp2's load generator. */
async function load(
  { port, pids }: Way,
  options: readonly string[],
  seconds: number,
): Promise<Measured> {
  const before = cpuSecondsOf(pids)
  const { stdout } = await promisify(execFile)('h2load', [
    `-D${seconds}`,
    ...options,
    `--connect-to=127.0.0.1:${port}`,
    `https://${host}/small`,
  ])
  const cpuSeconds = cpuSecondsOf(pids) - before
  const [, succeeded = '0', failed = ''] =
    /requests: .* (\d+) succeeded, (\d+) failed/.exec(stdout) ?? []
  const [, good = ''] = /status codes: (\d+) 2xx/.exec(stdout) ?? []
  // The last heads may come without their bodies.
  if (failed !== '0' || succeeded === '0' || Number(good) < Number(succeeded))
    throw new Error(`h2load had failures:\n${stdout}`)
  const requests = Number(succeeded)
  return { rps: requests / seconds, cpuMicroseconds: (cpuSeconds * 1e6) / requests }
}

async function startSluice(
  closing: AsyncDisposableStack,
  originPort: number,
  { certPath, keyPath }: { readonly certPath: string; readonly keyPath: string },
): Promise<Omit<Way, 'name'>> {
  const keys = startKeys(closing)
  let [httpPort, port] = [0, 0]
  const relay = await startNode(
    relayMain,
    {
      RELAY_APEX: apex,
      RELAY_HTTP_PORT: '0',
      RELAY_HTTPS_PORT: '0',
      RELAY_ADMIN_PORT: '0',
      RELAY_JWKS_URL: await keys.url,
      RELAY_TLS_CERT_PATH: certPath,
      RELAY_TLS_KEY_PATH: keyPath,
      RELAY_KEY: '',
      REDIS_URL: '',
      RELAY_DRAIN_SECONDS: '1',
    },
    (line) => {
      const ports = /"httpPort":(\d+),"httpsPort":(\d+)/.exec(line)
      if (!ports) return false
      httpPort = Number(ports[1])
      port = Number(ports[2])
      return true
    },
  )
  closing.defer(() => stop(relay))
  const agent = await startNode(
    agentMain,
    {
      EDGE_URL: `ws://edge.${apex}:${httpPort}/_sluice/session`,
      AGENT_TOKEN: keys.token(host),
      UPSTREAM_PORT: String(originPort),
    },
    (line) => line === 'online',
  )
  closing.defer(() => stop(agent))
  return { port, pids: [relay.pid ?? 0, agent.pid ?? 0] }
}

/** One certificate for both, so that they spend the same on handshakes. */
function makeCertificate(folder: string): { certPath: string; keyPath: string } {
  const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const words =
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${host} ` +
    `-addext subjectAltName=DNS:*.${apex} -keyout ${keyPath} -out ${certPath}`
  const made = spawnSync('openssl', words.split(' '))
  if (made.status !== 0)
    throw new Error('This benchmark makes a certificate with openssl: install it.')
  return { certPath, keyPath }
}

/** nghttp2's load generator; installed when that needs no asking. */
function findH2load(): void {
  const found = () => spawnSync('h2load', ['--version']).status === 0
  if (found()) return
  if (process.getuid?.() === 0) {
    process.stderr.write('installing nghttp2-client with apt-get\n')
    const command = 'apt-get update -qq && apt-get install -y -qq nghttp2-client'
    spawnSync('sh', ['-c', command], { stdio: 'ignore' })
    if (found()) return
  }
  throw new Error(
    'This benchmark needs h2load: install it, for example with `apt-get install nghttp2-client`.',
  )
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
