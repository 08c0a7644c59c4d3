import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { startKeys } from '../bench/keys.ts'
import { startNode, stop } from '../bench/process.ts'

const apex = 'tunnel.localhost'
const host = `app.${apex}`
const relayMain = fileURLToPath(new URL('../../relay/src/main.ts', import.meta.url))
const agentMain = fileURLToPath(new URL('../../agent/src/session/main.ts', import.meta.url))

/** Real processes of relay and agent, without a control plane. */
class DataPlane implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-data-plane-'))
  readonly #stack = new AsyncDisposableStack()
  readonly #keys = startKeys(this.#stack)
  #relay: ChildProcess | undefined
  ports = { http: 0, https: 0, admin: 0 }

  constructor() {
    this.#stack.defer(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  async startRelay(): Promise<this> {
    const env = {
      RELAY_APEX: apex,
      RELAY_HTTP_PORT: '0',
      RELAY_HTTPS_PORT: '0',
      RELAY_ADMIN_PORT: '0',
      RELAY_JWKS_URL: await this.#keys.url,
      RELAY_KEY: '',
      REDIS_URL: '',
    }
    const relay = await startNode(relayMain, env, (line) => {
      const { httpPort, httpsPort, adminPort } = JSON.parse(line)
      if (httpPort === undefined) return false
      this.ports = { http: httpPort, https: httpsPort, admin: adminPort }
      return true
    })
    this.#relay = relay
    this.#stack.defer(() => stop(relay))
    return this
  }

  get relay(): ChildProcess {
    if (!this.#relay) throw new Error('the relay was not started')
    return this.#relay
  }

  async upstream(listener: RequestListener): Promise<number> {
    const server = createServer(listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#stack.defer(() => {
      server.close()
      server.closeAllConnections()
    })
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  /** Resolves with the first line the agent prints: `online`, or why it is not. */
  async startAgent(edgeUrl: string, upstreamPort: number, caPath = ''): Promise<string> {
    let first = ''
    const env = {
      EDGE_URL: edgeUrl,
      AGENT_TOKEN: this.#keys.token(host),
      UPSTREAM_PORT: String(upstreamPort),
      EDGE_CA_PATH: caPath,
    }
    const agent = await startNode(agentMain, env, (line) => {
      first ||= line
      return true
    })
    this.#stack.defer(() => stop(agent))
    return first
  }

  /** The certificate that the relay made for itself, as a file to trust. */
  async certificate(): Promise<string> {
    const socket = connect({
      port: this.ports.https,
      host: '127.0.0.1',
      servername: host,
      rejectUnauthorized: false,
    })
    await once(socket, 'secureConnect')
    const pem = socket.getPeerX509Certificate()?.toString() ?? ''
    socket.destroy()
    const path = join(this.folder, `${crypto.randomUUID()}.pem`)
    writeFileSync(path, pem)
    return path
  }

  /** A visitor's request; resolves when the response head is here. */
  async visit() {
    const request = get({ port: this.ports.http, host: '127.0.0.1', headers: { host } })
    const [response] = await once(request, 'response')
    return response as AsyncIterable<Buffer> & { statusCode: number }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

test('an agent trusts a relay over wss by a certificate of its own choice, and no other relay', async () => {
  await using plane = await new DataPlane().startRelay()
  await using foreign = await new DataPlane().startRelay()
  const upstream = await plane.upstream((_request, response) => response.end('reached'))
  const edgeUrl = `wss://edge.${apex}:${plane.ports.https}/_sluice/session`

  expect(await plane.startAgent(edgeUrl, upstream)).toMatch(/^offline: .*self.signed/)
  expect(await plane.startAgent(edgeUrl, upstream, await foreign.certificate())).toMatch(
    /^offline: /,
  )
  expect((await plane.visit()).statusCode).toBe(404)
  expect(await plane.startAgent(edgeUrl, upstream, await plane.certificate())).toBe('online')

  const { port } = new URL(edgeUrl)
  const wrongName = `wss://127.0.0.1:${port}/_sluice/session`
  expect(await plane.startAgent(wrongName, upstream, await plane.certificate())).toMatch(
    /^offline: .*another name/,
  )
  expect((await plane.visit()).statusCode).toBe(200)
})

test('after SIGTERM a relay takes nothing new, finishes the download under way, and exits 0', async () => {
  await using plane = await new DataPlane().startRelay()
  const piece = Buffer.alloc(1_048_576, 'x')
  const rest = Promise.withResolvers<void>()
  const upstream = await plane.upstream((_request, response) => {
    response.write(piece)
    void rest.promise.then(() => response.end(piece))
  })
  await plane.startAgent(`ws://edge.${apex}:${plane.ports.http}/_sluice/session`, upstream)
  const admin = `http://127.0.0.1:${plane.ports.admin}/readyz`
  const response = await plane.visit()
  const ready = (await fetch(admin)).status
  const exited = once(plane.relay, 'exit')

  plane.relay.kill('SIGTERM')
  let status = ready
  while (status === 200) ({ status } = await fetch(admin))
  await expect(plane.visit()).rejects.toThrow(/ECONNREFUSED/)
  rest.resolve()
  let bytes = 0
  for await (const chunk of response) bytes += chunk.length

  expect([ready, status]).toEqual([200, 503])
  expect(bytes).toBe(2 * piece.length)
  expect(await exited).toEqual([0, null])
})
