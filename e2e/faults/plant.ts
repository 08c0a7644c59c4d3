import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { fileURLToPath } from 'node:url'

import { unusedPort } from '@sluice/kit/unused-port'

import { startKeys } from '../bench/keys.ts'
import { keep, stop } from '../bench/process.ts'

const apex = 'tunnel.localhost'
export const host = `app.${apex}`
const program = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const relayMain = program('../../relay/src/main.ts')
const agentMain = program('../../agent/src/session/main.ts')
const upstreamMain = fileURLToPath(new URL('upstream.ts', import.meta.url))
const patienceMs = 60_000
const saidMax = 40
const saidCharactersMax = 500

type Part = 'relay' | 'other relay' | 'agent' | 'upstream'

/** Relay, agent and upstream as processes of their own, without a control plane: each can be killed, frozen and started again. */
export class Plant implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack()
  readonly #keys = startKeys(this.#stack)
  readonly #running = new Map<Part, ChildProcess>()
  readonly ports = { http: 0, admin: 0, upstream: 0 }
  /** What the parts said last: for whoever has to find out why something never came to be. */
  readonly #said: string[] = []
  #edgePort = 0
  #epoch = 0
  relayEnv: Record<string, string> = {}
  /** Where the relay's lines go. */
  relayStdout: 'pipe' | number = 'pipe'

  static async start(prepare: (plant: Plant) => void = () => undefined): Promise<Plant> {
    const plant = new Plant()
    plant.ports.http = await unusedPort()
    plant.ports.admin = await unusedPort()
    plant.#edgePort = plant.ports.http
    prepare(plant)
    try {
      await plant.startUpstream()
      await plant.startRelay()
      await plant.startAgent()
      return plant
    } catch (error) {
      await plant[Symbol.asyncDispose]()
      throw error
    }
  }

  use<T extends AsyncDisposable>(resource: T): T {
    return this.#stack.use(resource)
  }

  /** From the next start on the agent dials this port. */
  edgeThrough(port: number): void {
    this.#edgePort = port
  }

  async startRelay(): Promise<void> {
    await this.#startRelay('relay', this.ports.http, this.ports.admin)
  }

  /** One more relay; answers its port. */
  async startOtherRelay(): Promise<number> {
    const [http, admin] = [await unusedPort(), await unusedPort()]
    await this.#startRelay('other relay', http, admin)
    return http
  }

  async #startRelay(part: Part, httpPort: number, adminPort: number): Promise<void> {
    const env = {
      RELAY_APEX: apex,
      RELAY_ID: part.replace(' ', '-'),
      RELAY_HTTP_PORT: String(httpPort),
      RELAY_HTTPS_PORT: '0',
      RELAY_ADMIN_PORT: String(adminPort),
      RELAY_JWKS_URL: await this.#keys.url,
      RELAY_KEY: '',
      REDIS_URL: '',
      ...this.relayEnv,
    }
    this.#spawn(part, [relayMain], env, this.relayStdout)
    await this.until(async () => (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok)
  }

  async startUpstream(): Promise<void> {
    const child = this.#spawn('upstream', [upstreamMain, String(this.ports.upstream)], {}, 'pipe')
    if (!child.stdout) throw new Error('no output')
    const [line] = await once(child.stdout, 'data')
    this.ports.upstream = Number(String(line))
  }

  /** A tunnel started anew: whatever session it had before is fenced out. */
  async startAgent(): Promise<void> {
    this.#epoch += 1
    const env = {
      EDGE_URL: `ws://edge.${apex}:${this.#edgePort}/_sluice/session`,
      AGENT_TOKEN: this.#keys.token(host, { epoch: this.#epoch }),
      UPSTREAM_PORT: String(this.ports.upstream),
    }
    this.#spawn('agent', [agentMain], env, 'pipe')
    await this.untilServed()
  }

  process(part: Part): ChildProcess {
    const child = this.#running.get(part)
    if (!child) throw new Error(`no ${part}`)
    return child
  }

  async kill(part: Part, signal: NodeJS.Signals): Promise<void> {
    const child = this.process(part)
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  /** One request; the response as soon as its head is here. */
  async ask(path = '/', body?: Buffer, headers = { host }): Promise<IncomingMessage> {
    const asked = request({
      port: this.ports.http,
      host: '127.0.0.1',
      path,
      agent: false,
      headers,
      method: body ? 'POST' : 'GET',
    })
    asked.end(body)
    const [response] = await once(asked, 'response', { signal: AbortSignal.timeout(patienceMs) })
    return response
  }

  /** Its status, once all of it is here. */
  async status(path = '/'): Promise<number | undefined> {
    const response = await this.ask(path)
    response.resume()
    await once(response, 'end')
    return response.statusCode
  }

  async untilServed(): Promise<void> {
    await this.until(async () => (await this.status()) === 200)
  }

  /** Asks again until it is so. What fails meanwhile is what we wait for to pass. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + patienceMs
    for (;;) {
      const last = await holds().catch((error: unknown) => error)
      if (last === true) return
      if (Date.now() > deadline) {
        throw new Error(`it never came to be\n${this.#said.join('\n')}`, { cause: last })
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  #spawn(
    part: Part,
    args: string[],
    env: Record<string, string>,
    stdout: 'pipe' | number,
  ): ChildProcess {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', stdout, 'inherit'],
    })
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#said.push(`${part}: ${chunk.toString().slice(0, saidCharactersMax)}`)
      if (this.#said.length > saidMax) this.#said.shift()
    })
    child.once('exit', (code, signal) => this.#said.push(`${part} ended: ${code ?? signal}`))
    keep(child)
    this.#running.set(part, child)
    this.#stack.defer(async () => {
      // One that is frozen would not hear of its end.
      child.kill('SIGCONT')
      await stop(child)
    })
    return child
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

/** Bytes of a response that came, and whether it was whole. */
export async function readAll(
  response: IncomingMessage,
): Promise<{ bytes: number; whole: boolean }> {
  let bytes = 0
  try {
    for await (const chunk of response) bytes += chunk.length
  } catch {
    return { bytes, whole: false } // A body cut short is what the tests look for.
  }
  return { bytes, whole: response.complete }
}
