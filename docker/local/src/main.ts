import { join } from 'node:path'

import { ConfigError } from '@sluice/kit/config'
import { EngineError, startPostgres, startRedis, type Engine } from '@sluice/kit/engines'
import { Closer } from '@sluice/kit/lifecycle'
import { createLog } from '@sluice/kit/log'
import { openObjectStore, type ObjectStoreSettings } from '@sluice/kit/object-store'
import { unusedPort } from '@sluice/kit/unused-port'

import { buildBundles } from './bundles.ts'
import { config } from './config.ts'
import { assertPortsFree, endLeftOver, noteProcess, takeFolder } from './instance.ts'
import { openRelayProcess } from './relay-process.ts'
import { createReport, welcomeText } from './report.ts'
import { residentMb } from './resident.ts'
import { openSecrets } from './secrets.ts'

const root = join(import.meta.dirname, '../../..')
const apex = 'tunnel.localhost'
const stopMsMax = 45_000
const repeatMs = 700

const startedAt = Number(process.env['SLUICE_STARTED_AT'] ?? Date.now())
const report = createReport((line) => process.stderr.write(`${line}\n`), startedAt)
const closer = new Closer()
const stopping = new AbortController()
let ended = false
let stoppedAt = 0

process.on('SIGINT', () => stop('Ctrl-C'))
process.on('SIGTERM', () => stop('SIGTERM'))
process.on('SIGHUP', () => stop('SIGHUP'))

const starting = start()
starting.catch(async (error: unknown) => {
  if (stopping.signal.aborted) return // Asked for.
  const known = error instanceof EngineError || error instanceof ConfigError
  report.failed(known ? error.message : `Sluice could not start: ${String(error)}`)
  if (!known && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  await end(1)
})

async function start(): Promise<void> {
  const settings = config(process.env, root)
  const { ports, dataFolder } = settings
  const { signal } = stopping
  const consoleUrl = `http://localhost:${ports.console}`
  process.stderr.write(`\n  Sluice is starting, data in ${dataFolder}\n\n`)
  closer.add(takeFolder(dataFolder, consoleUrl))
  endLeftOver(dataFolder, 'relay', 'relay/src/main.ts')
  endLeftOver(dataFolder, 'redis', '-server')
  await assertPortsFree(ports)
  const secrets = await openSecrets(dataFolder)

  const bundlesBuilt = buildBundles({
    root,
    signal,
    onBuild: (name) => report.note(`building the ${name} …`),
  })
  // Reported where it is awaited; a failure before that must not count as unhandled.
  bundlesBuilt.catch(() => undefined)
  const [databaseUrl, redisUrl] = await Promise.all([
    engine('PostgreSQL', dataFolder, settings.databaseUrl, () =>
      startPostgres({ dataDir: join(dataFolder, 'postgres') }),
    ),
    engine('Redis', dataFolder, settings.redisUrl, () => startRedis()),
    objectStore(settings.objectStore),
  ])
  signal.throwIfAborted()

  const log = createLog('platform', settings.logLevel)
  // Loaded only now: engines start while nothing competes for the processor.
  const { createPlatform } = await import('./server.ts')
  const chosen = {
    ...ports,
    console: ports.console || (await unusedPort()),
    http: ports.http || (await unusedPort()),
    https: ports.https || (await unusedPort()),
    relayAdmin: ports.relayAdmin || (await unusedPort()),
  }
  const tunnelPorts = `${settings.tunnelPorts.first}-${settings.tunnelPorts.last}`
  const platform = closer.add(
    await createPlatform({
      databaseUrl,
      redisUrl,
      objectStore: settings.objectStore,
      secrets,
      mail: settings.mail,
      social: settings.social,
      apex,
      consoleDist: join(root, 'console/dist'),
      ports: chosen,
      tunnelPorts: settings.tunnelPorts,
      log,
      onReady: (part) => report.ready(part),
    }),
  )
  signal.throwIfAborted()

  const gatewayUrl = `http://127.0.0.1:${platform.port}`
  closer.add(
    await openRelayProcess({
      root,
      dataFolder,
      signal,
      adminPort: chosen.relayAdmin,
      isKnown: () => hasRelay(gatewayUrl, secrets.relayKey),
      onRestart: () => report.note('the relay ended; starting it again'),
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
        NODE_ENV: 'production',
        LOG_LEVEL: settings.logLevel,
        RELAY_ID: 'local',
        RELAY_APEX: apex,
        RELAY_HTTP_PORT: String(chosen.http),
        RELAY_HTTPS_PORT: String(chosen.https),
        RELAY_ADMIN_PORT: String(chosen.relayAdmin),
        RELAY_TCP_PORTS: tunnelPorts,
        RELAY_UDP_PORTS: tunnelPorts,
        RELAY_KEY: secrets.relayKey,
        RELAY_GATEWAY_URL: gatewayUrl,
        RELAY_JWKS_URL: `${gatewayUrl}/.well-known/jwks.json`,
        REDIS_URL: redisUrl,
      },
    }),
  )
  report.ready('relay')
  await bundlesBuilt
  signal.throwIfAborted()

  process.stdout.write(
    welcomeText({
      consoleUrl: `http://localhost:${platform.port}`,
      firstAdmin: platform.firstAdmin,
      cli: 'node agent/dist/sluice.js',
      isDefaultServer: platform.port === 4000,
      seconds: report.seconds(),
      // Below npm start the small process that waits for us counts too.
      residentMb: residentMb(process.env['SLUICE_STARTED_AT'] ? process.ppid : process.pid),
    }),
  )
}

/** An engine of our own, closed with us, unless the environment names one that runs. */
async function engine(
  name: string,
  dataFolder: string,
  url: string | undefined,
  open: () => Promise<Engine>,
): Promise<string> {
  if (url) {
    report.ready(`${name} (yours)`)
    return url
  }
  const own = closer.add(await open())
  noteProcess(dataFolder, name.toLowerCase(), own.pid)
  report.ready(name)
  return own.url
}

/** Makes the folder, or asks the bucket, so that a wrong setting shows now and not at the first body. */
async function objectStore(settings: ObjectStoreSettings): Promise<void> {
  const store = await openObjectStore(settings)
  try {
    await store.list('bodies/')
    report.ready('folder' in settings ? 'object store' : 'object store (yours)')
  } catch (error) {
    const reason = 'the object store did not answer: check S3_ENDPOINT, S3_BUCKET and its keys'
    throw new EngineError(reason, { cause: error })
  } finally {
    store.close()
  }
}

/** Whether a relay has told the graph that it is ready for agents. */
async function hasRelay(gatewayUrl: string, relayKey: string): Promise<boolean> {
  const response = await fetch(`${gatewayUrl}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${relayKey}` },
    body: JSON.stringify({ query: '{ regions { available } }' }),
  })
  const answer = (await response.json()) as { data?: { regions?: { available: boolean }[] } }
  return answer.data?.regions?.some(({ available }) => available) ?? false
}

function stop(reason: string): void {
  // One Ctrl-C may come twice: from the terminal and through the program that waits for us.
  if (Date.now() - stoppedAt < repeatMs) return
  stoppedAt = Date.now()
  if (stopping.signal.aborted) {
    process.stderr.write('  Stopped at once; the next start tidies up.\n')
    process.exit(1)
  }
  stopping.abort(new Error(reason))
  process.stderr.write(`\n  ${reason}: stopping …\n`)
  void end(0)
}

async function end(code: number): Promise<void> {
  if (ended) return
  ended = true
  setTimeout(() => process.exit(1), stopMsMax).unref()
  try {
    // What is being opened is opened first, so that it can be closed.
    await starting.catch(() => undefined)
    await closer.close()
    process.stderr.write('  Stopped. The data is kept.\n')
  } catch (error) {
    process.stderr.write(`  Not everything stopped cleanly: ${String(error)}\n`)
    process.exit(1)
  }
  process.exit(code)
}
