import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { startPostgres, startRedis, type Engine } from '@sluice/kit/engines'
import { unusedPort } from '@sluice/kit/unused-port'
import { chromium, type Browser } from 'playwright-core'

const root = join(import.meta.dirname, '..')
const startMsMax = 180_000
const waitMsMax = 120_000

/** A program of ours as a person runs it: its lines are kept, and waited for instead of slept for. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess
  readonly lines: string[] = []
  readonly #name: string
  #wake: () => void = () => undefined
  readonly exited: Promise<number | null>

  constructor(
    name: string,
    args: string[],
    options: { env?: NodeJS.ProcessEnv; input?: string } = {},
  ) {
    this.#name = name
    this.child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.child.stdin?.end(options.input ?? '')
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (!stream) continue
      createInterface(stream).on('line', (line) => {
        this.lines.push(line)
        this.#wake()
      })
    }
    this.exited = once(this.child, 'exit').then(([code]) => {
      this.#wake()
      return code as number | null
    })
  }

  /** The first line that fits, also among those already printed. Fails when the program ends without it. */
  async line(pattern: RegExp, msMax = waitMsMax): Promise<RegExpExecArray> {
    const deadline = Date.now() + msMax
    for (;;) {
      for (const line of this.lines) {
        const match = pattern.exec(line)
        if (match) return match
      }
      const left = deadline - Date.now()
      if (left <= 0 || this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`${this.#name} never printed ${String(pattern)}:\n${this.lines.join('\n')}`)
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  get output(): string {
    return this.lines.join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill('SIGTERM')
    const force = setTimeout(() => this.child.kill('SIGKILL'), waitMsMax)
    await this.exited
    clearTimeout(force)
  }
}

/** The platform as `npm start` starts it, on ports and data of its own. */
export interface World extends AsyncDisposable {
  readonly consoleUrl: string
  readonly httpPort: number
  /** The one public port of TCP tunnels, and of UDP tunnels. */
  readonly tunnelPort: number
  readonly platform: Program
  readonly dataFolder: string
  readonly redisUrl: string
  readonly databaseUrl: string
  /** Stops PostgreSQL, keeping its data; `start` brings it back on the same port. */
  readonly postgres: { stop(): Promise<void>; start(): Promise<void> }
  /** Kills Redis with all that it holds; `start` brings an empty one to the same port. */
  readonly redis: { kill(): Promise<void>; start(): Promise<void> }
  relayPid(): number
  /** A `sluice` process with a home of its own. */
  sluice(args: string[], options?: { input?: string; env?: NodeJS.ProcessEnv }): Program
  browser(): Promise<Browser>
}

export async function createWorld(): Promise<World> {
  const stack = new AsyncDisposableStack()
  try {
    const dataFolder = mkdtempSync(join(tmpdir(), 'sluice-e2e-'))
    stack.defer(() => rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5 }))

    const databasePort = await unusedPort()
    const startDatabase = () =>
      startPostgres({ dataDir: join(dataFolder, 'postgres'), port: databasePort })
    let database: Engine | null = await startDatabase()
    stack.defer(async () => database?.close())
    let redis = await startRedis()
    stack.defer(() => redis.close())
    const redisUrl = redis.url

    const [consolePort, httpPort, httpsPort] = [
      await unusedPort(),
      await unusedPort(),
      await unusedPort(),
    ]
    // Of its own, so that platforms beside each other give out different ones.
    const tunnelPort = await unusedPort()
    const platform = stack.use(
      new Program('npm start', ['scripts/start.mjs'], {
        env: {
          SLUICE_DATA: join(dataFolder, 'sluice'),
          SLUICE_CONSOLE_PORT: String(consolePort),
          SLUICE_HTTP_PORT: String(httpPort),
          SLUICE_HTTPS_PORT: String(httpsPort),
          SLUICE_METRICS_PORT: '0',
          SLUICE_TUNNEL_PORTS: String(tunnelPort),
          DATABASE_URL: database.url,
          REDIS_URL: redisUrl,
        },
      }),
    )
    await platform.line(/Sluice: ready in/, startMsMax)
    const consoleUrl = `http://localhost:${consolePort}`

    const owned = stack.move()
    return {
      consoleUrl,
      httpPort,
      tunnelPort,
      platform,
      dataFolder,
      redisUrl,
      databaseUrl: database.url,
      postgres: {
        async stop() {
          await database?.close()
          database = null
        },
        async start() {
          database = await startDatabase()
        },
      },
      redis: {
        async kill() {
          process.kill(redis.pid, 'SIGKILL')
          await redis.close()
        },
        async start() {
          redis = await startRedis({ port: Number(new URL(redisUrl).port) })
        },
      },
      relayPid: () => Number(readFileSync(join(dataFolder, 'sluice/run/relay.pid'), 'utf8')),
      sluice(args, options = {}) {
        return owned.use(
          new Program(`sluice ${args.join(' ')}`, ['agent/dist/sluice.js', ...args], {
            ...options,
            env: {
              XDG_CONFIG_HOME: join(dataFolder, 'home'),
              SLUICE_SERVER: consoleUrl,
              ...options.env,
            },
          }),
        )
      },
      async browser() {
        const browser = await chromium.launch({
          executablePath: '/usr/bin/chromium',
          args: browserFlags,
        })
        owned.defer(() => browser.close())
        return browser
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

const browserFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
