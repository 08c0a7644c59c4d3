import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { env } from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { SluiceError } from '@sluice/schema/errors'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { buildPackage } from '../build.ts'
import { fixtureAuthtoken } from './graph-fixture.ts'
import { listen, type ListenError } from './library.ts'
import { openPlatformFixture, type PlatformFixture } from './platform-fixture.ts'

// A real relay, a browser, a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const run = promisify(execFile)
const examples = fileURLToPath(new URL('../examples', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

let folder: string
let platform: PlatformFixture
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-library-'))
  platform = await openPlatformFixture()
}, 60_000)
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const credentials = () => ({ server: platform.graph.url, authtoken: fixtureAuthtoken })
const hello: RequestListener = (request, response) => void response.end(`hello ${request.url}`)

test('a server that does not listen yet is served, and closed with its tunnel', async () => {
  const server = createServer(hello)

  const tunnel = await listen(server, { name: 'bare', ...credentials() })
  const requests: string[] = []
  tunnel.on('request', ({ method, path, status }) => requests.push(`${method} ${path} ${status}`))
  const closed = new Promise((resolve) => tunnel.on('closed', resolve))
  const visit = await platform.visit('bare', '/a')
  await tunnel.close()

  expect(tunnel.url).toMatch(/^http:\/\/bare\.tunnel\.localhost:\d+$/)
  expect(visit).toMatchObject({ status: 200, body: 'hello /a' })
  expect(requests).toEqual(['GET /a 200'])
  expect(await closed).toEqual({ error: null })
  expect(server.listening).toBe(false)
})

test('a server that listens, a port and an address are targets too, and stay open', async () => {
  const server = createServer(hello).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0

  for (const target of [server, port, `http://127.0.0.1:${port}`]) {
    await using tunnel = await listen(target, { name: 'open', ...credentials() })
    expect((await platform.visit(tunnel.name)).body).toBe('hello /')
  }

  expect(server.listening).toBe(true)
  server.close()
})

test('several tunnels of one process do not know of each other', async () => {
  const saying = (text: string) => createServer((_request, response) => response.end(text))
  await using one = await listen(saying('one'), { name: 'one', ...credentials() })
  const two = await listen(saying('two'), { name: 'two', ...credentials() })

  await two.close()

  expect((await platform.visit(one.name)).body).toBe('one')
})

test('close lets a request in flight finish', async () => {
  const begun = Promise.withResolvers<void>()
  const rest = Promise.withResolvers<void>()
  const server = createServer((_request, response) => {
    response.write('begun ')
    begun.resolve()
    void rest.promise.then(() => response.end('and done'))
  })
  const tunnel = await listen(server, { name: 'grace', ...credentials() })
  const visiting = platform.visit('grace')
  await begun.promise

  const closing = tunnel.close()
  rest.resolve()

  expect((await visiting).body).toBe('begun and done')
  await closing
})

test('a signal closes the tunnel, and before it is open it ends the waiting', async () => {
  const stop = new AbortController()
  const tunnel = await listen(createServer(hello), {
    name: 'signal',
    signal: stop.signal,
    ...credentials(),
  })
  const closed = new Promise((resolve) => tunnel.on('closed', resolve))
  stop.abort(new Error('enough'))
  expect(await closed).toEqual({ error: null })

  const late = listen(3000, { ...credentials(), signal: AbortSignal.abort(new Error('too late')) })
  await expect(late).rejects.toThrow('too late')
})

test('a refusal has a code, and says what to do', async () => {
  await using refusing = await openPlatformFixture({
    startTunnel() {
      throw new SluiceError('SLUICE_ENDPOINT_HOST_TAKEN', { endpointHost: 'mine' })
    },
  })
  const server = createServer(hello)

  const error = await listen(server, { ...credentials(), server: refusing.graph.url }).catch(
    (failure: unknown) => failure as ListenError,
  )

  expect(error).toMatchObject({ name: 'ListenError', code: 'SLUICE_ENDPOINT_HOST_TAKEN' })
  expect((error as ListenError).fix).toMatch(/\S/)
  expect(server.listening).toBe(false)
})

test.for([
  ['169.254.169.254:80', 'SLUICE_TARGET_REFUSED'],
  ['ftp://x', 'SLUICE_USAGE'],
] as const)('%s is no target', async ([target, code]) => {
  await expect(listen(target, credentials())).rejects.toMatchObject({ code })
})

test('it leaves the process around it as it was', async () => {
  const events = ['SIGINT', 'SIGTERM', 'exit', 'uncaughtException', 'unhandledRejection'] as const
  const listeners = () => events.map((name) => process.listenerCount(name))
  const before = [listeners(), Object.keys(globalThis), { ...env }]

  const tunnel = await listen(createServer(hello), { name: 'quiet', ...credentials() })
  const after = [listeners(), Object.keys(globalThis), { ...env }]
  await tunnel.close()

  expect(after).toEqual(before)
})

/** A project of somebody else that has installed what `npm pack` made. */
async function openProject(): Promise<string> {
  const built = join(folder, 'built')
  const project = join(folder, 'project')
  const installed = join(project, 'node_modules/@sluice/agent')
  await buildPackage(built)
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: built })
  await mkdir(installed, { recursive: true })
  const { version } = JSON.parse(await readFile(join(built, 'package.json'), 'utf8')) as {
    version: string
  }
  const archive = join(folder, `sluice-agent-${version}.tgz`)
  await run('tar', ['xzf', archive, '--strip-components=1', '-C', installed])
  await cp(examples, project, { recursive: true })
  await writeFile(join(project, 'package.json'), '{ "type": "module" }')
  for (const name of ['express', 'vite', '@types']) {
    await symlink(join(modules, name), join(project, 'node_modules', name))
  }
  return project
}

test('the package runs, with types, in a project that has nothing else of ours', async () => {
  const project = await openProject()
  const {
    name: packageName,
    dependencies,
    files,
  } = JSON.parse(
    await readFile(join(project, 'node_modules/@sluice/agent/package.json'), 'utf8'),
  ) as { name: string; dependencies?: object; files?: unknown }
  expect(dependencies).toBeUndefined()
  expect(files).toBeUndefined()

  await writeFile(
    join(project, 'typed.ts'),
    `import { listen, type Tunnel, ListenError } from '${packageName}'
const tunnel: Tunnel = await listen(3000, { name: 'x', signal: AbortSignal.timeout(1) })
tunnel.on('request', ({ status }) => status.toFixed())
tunnel.on('closed', ({ error }) => error instanceof ListenError && error.code.trim())
// @ts-expect-error there is no such event
tunnel.on('nonsense', () => {})
`,
  )
  const compiler = join(
    dirname(fileURLToPath(import.meta.resolve('typescript/package.json'))),
    'bin/tsc',
  )
  const checked = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext']
  await run(process.execPath, [compiler, ...checked, '--types', 'node', 'typed.ts'], {
    cwd: project,
  })

  for (const [name, args, body] of [
    ['node-http', ['node-http.mjs'], 'Hello from node:http, you asked for /'],
    ['express', ['express.mjs'], 'Hello from Express, visitor from'],
    ['vite', [join(modules, 'vite/bin/vite.js'), 'vite'], 'Hello from Vite'],
  ] as const) {
    const child = spawn(process.execPath, args, {
      cwd: project,
      env: {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        PORT: '0',
        NO_COLOR: '1',
        TUNNEL_NAME: name,
        SLUICE_SERVER: platform.graph.url,
        SLUICE_AUTHTOKEN: fixtureAuthtoken,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    for await (const line of createInterface(child.stdout))
      if (line.includes(`${name}.tunnel`)) break
    child.stdout.resume()

    const visit = await platform.visit(name)
    child.kill('SIGTERM')
    const [code, signal] = (await exited) as [number | null, string | null]

    expect(visit.status).toBe(200)
    expect(visit.body).toContain(body)
    // Vite ends by the signal’s own code.
    expect([0, 143, null]).toContain(code ?? (signal === 'SIGTERM' ? 143 : 1))
  }
}, 120_000)
