import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import { SluiceError } from '@sluice/schema/errors'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { buildAgent } from '../build.ts'
import {
  fixtureAuthtoken,
  fixtureOrganization,
  fixtureRequest,
  fixtureTunnel,
  fixtureViewer,
  openGraphFixture,
  type GraphRoot,
} from './graph-fixture.ts'

let folder: string
let program: string
let home: string
let homes = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-program-'))
  program = join(folder, 'sluice.js')
  await buildAgent(program)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})
beforeEach(() => {
  homes += 1
  home = join(folder, `home-${homes}`)
})

interface Run {
  readonly stdin?: string
  readonly env?: Record<string, string>
  /** Ctrl-C once stdout or stderr holds this text. */
  readonly interruptAt?: string
}

/** A program that hangs is ended after this, before the test gives up. */
const runMsMax = 30_000

/** Runs the built program as a process of its own, at a home of its own. */
function sluice(args: readonly string[], run: Run = {}) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: '/usr/bin:/bin', HOME: home, ...run.env },
    timeout: runMsMax,
  })
  let stdout = ''
  let stderr = ''
  let isInterrupted = false
  const look = () => {
    if (isInterrupted || run.interruptAt === undefined) return
    if (!(stdout + stderr).includes(run.interruptAt)) return
    isInterrupted = true
    child.kill('SIGINT')
  }
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk)
    look()
  })
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk)
    look()
  })
  child.stdin.end(run.stdin ?? '')
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const loggedIn = { SLUICE_AUTHTOKEN: fixtureAuthtoken }

const tunnels = {
  nodes: [fixtureTunnel('app'), { ...fixtureTunnel('docs'), status: 'OFFLINE', onlineSince: null }],
  pageInfo: { hasNextPage: false, endCursor: null },
}
const requests = {
  // The newest first, as connections are.
  edges: ['/two', '/one'].map((path) => ({ cursor: `c-${path}`, node: fixtureRequest(path) })),
}
const root: GraphRoot = {
  viewer: { ...fixtureViewer, organization: { ...fixtureOrganization, tunnels, requests } },
  regions: [{ id: 'local', name: 'Local', available: true }],
  tunnel: { ...fixtureTunnel('app'), requests },
}

test('version takes a few times what Node itself needs to start, and no more', async () => {
  const times = { program: Number.POSITIVE_INFINITY, node: Number.POSITIVE_INFINITY }
  const measure = async (of: keyof typeof times, run: () => Promise<unknown>) => {
    const startedAt = performance.now()
    await run()
    times[of] = Math.min(times[of], performance.now() - startedAt)
  }
  // The best of seven, in turns: other work on the machine is neither's.
  for (let run = 0; run < 7; run += 1) {
    await measure('node', () => once(spawn(process.execPath, ['-e', '']), 'exit'))
    await measure('program', () => sluice(['version']))
  }

  expect(times.program / times.node).toBeLessThan(8)
})

test('version is machine-readable too', async () => {
  const { stdout, code } = await sluice(['version', '--json'])

  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
})

test('login takes the authtoken from stdin, checks it, and stores it for its owner alone', async () => {
  await using server = await openGraphFixture(root)
  const { code, stdout, stderr } = await sluice(['login', '--server', server.url], {
    stdin: `${fixtureAuthtoken}\n`,
  })

  expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
  expect(stderr).toContain('as Ada (Acme)')
  expect(stderr).not.toContain(fixtureAuthtoken)
  const path = join(home, '.config/sluice/config.json')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    version: 1,
    server: server.url,
    servers: { [server.url]: { authtoken: fixtureAuthtoken } },
  })

  const after = await sluice(['status'])
  expect(after.stdout).toContain('Ada <ada@acme.test> (authtoken from file)')
  expect((await sluice(['logout'])).stderr).toContain('Logged out')
  expect((await sluice(['status'])).code).toBe(3)
})

test('a wrong authtoken is refused and not stored', async () => {
  await using server = await openGraphFixture(root)
  const wrong = `slt_${'b'.repeat(38)}`
  const results = [
    await sluice(['login', '--server', server.url], { stdin: wrong }),
    await sluice(['login', '--server', server.url], { stdin: 'hunter2' }),
    await sluice(['login', '--server', server.url], { stdin: '' }),
  ]

  expect(results.map(({ code }) => code)).toEqual([3, 3, 3])
  expect(JSON.stringify(results)).not.toMatch(/bbbb|hunter2/)
  await expect(stat(join(home, '.config/sluice/config.json'))).rejects.toThrow('ENOENT')
})

test('tunnels is a table for people and JSON for programs', async () => {
  await using server = await openGraphFixture(root)
  const env = { ...loggedIn, SLUICE_SERVER: server.url }
  const table = await sluice(['tunnels'], { env })
  const json = await sluice(['tunnels', '--json'], { env })

  expect(table.stdout.split('\n')[0]).toMatch(/^NAME\s+STATUS\s+URL\s+REGION/)
  expect(table.stdout).toMatch(/^app\s+online\s+http:\/\/app\.tunnel\.localhost:8080\s+local\s+2/m)
  expect(table.stdout).toMatch(/^docs\s+offline/m)
  expect(JSON.parse(json.stdout)).toMatchObject({ tunnels: [{ name: 'app' }, { name: 'docs' }] })
})

test('more tunnels than one page holds are all listed', async () => {
  const page = (names: string[], endCursor: string | null) => ({
    nodes: names.map(fixtureTunnel),
    pageInfo: { hasNextPage: endCursor !== null, endCursor },
  })
  await using server = await openGraphFixture({
    viewer: {
      ...fixtureViewer,
      organization: {
        ...fixtureOrganization,
        tunnels: ({ after }: { after: string | null }) =>
          after === null ? page(['one'], 'c1') : page(['two'], null),
      },
    },
  })
  const { stdout } = await sluice(['tunnels', '--json'], {
    env: { ...loggedIn, SLUICE_SERVER: server.url },
  })

  expect(JSON.parse(stdout)).toMatchObject({ tunnels: [{ name: 'one' }, { name: 'two' }] })
})

test('logs shows the past, the oldest first', async () => {
  await using server = await openGraphFixture(root)
  const env = { ...loggedIn, SLUICE_SERVER: server.url }
  const all = await sluice(['logs', '--json'], { env })
  const one = await sluice(['logs', '--tunnel', 'app', '-n', '1'], { env })
  const none = await sluice(['logs', '--tunnel', 'missing'], { env })

  const paths = all.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { path: string }).path)
  expect(paths).toEqual(['/one', '/two'])
  expect(one.stdout).toMatch(/app\s+GET\s+200\s+12 ms\s+1\.5 KiB\s+203\.0\.113\.7\s+\/two/)
  expect(none.code).toBe(4)
})

test('what the scopes of the authtoken do not allow is refused, and not called empty', async () => {
  const hidden = { ...fixtureOrganization, tunnels: null, requests: null }
  await using server = await openGraphFixture({
    viewer: { ...fixtureViewer, organization: hidden },
  })
  const env = { ...loggedIn, SLUICE_SERVER: server.url }
  const results = [await sluice(['logs'], { env }), await sluice(['tunnels'], { env })]

  expect(results.map(({ code }) => code)).toEqual([4, 4])
  for (const { stderr } of results) expect(stderr).toContain('SLUICE_FORBIDDEN')
})

test('a request is shown although a part that joins a field to it is down', async () => {
  const tunnel = () => {
    throw new SluiceError('SLUICE_SUBGRAPH_UNAVAILABLE')
  }
  const edges = [{ cursor: 'c', node: { ...fixtureRequest('/one'), tunnel } }]
  const organization = { ...fixtureOrganization, requests: { edges } }
  await using server = await openGraphFixture({ viewer: { ...fixtureViewer, organization } })
  const { code, stdout } = await sluice(['logs'], {
    env: { ...loggedIn, SLUICE_SERVER: server.url },
  })

  expect(code).toBe(0)
  expect(stdout).toMatch(/app\.tunnel\.localhost\s+GET.*\/one/)
})

test('logs -f goes on behind the newest of the past, until Ctrl-C', async () => {
  const asked: unknown[] = []
  await using server = await openGraphFixture({
    ...root,
    async *requestCaptured(variables: { after: string }) {
      asked.push(variables.after)
      yield { requestCaptured: { cursor: 'c3', missed: 2, request: fixtureRequest('/three') } }
    },
  })
  const { code, stdout, stderr } = await sluice(['logs', '-f'], {
    env: { ...loggedIn, SLUICE_SERVER: server.url },
    interruptAt: '/three',
  })

  expect(code).toBe(130)
  expect(stdout).toMatch(/\/one\n.*\/two\n.*\/three\n/)
  expect(stderr).toContain('gap: 2 requests')
  expect(asked[0]).toBe('c-/two')
})

test.for([
  ['a reader that has gone ends it', '| head -n 1', 0],
  ['a full disk is a failure', '> /dev/full', 1],
] as const)('logs -f: %s', async ([, sink, expected]) => {
  await using server = await openGraphFixture({
    ...root,
    async *requestCaptured() {
      for (let at = 0; ; at += 1) {
        await setTimeout(5)
        yield { requestCaptured: { cursor: `c${at}`, missed: 0, request: fixtureRequest('/') } }
      }
    },
  })
  const command = `"${process.execPath}" "${program}" logs -f ${sink}; exit "\${PIPESTATUS[0]}"`
  const child = spawn('bash', ['-c', command], {
    env: { PATH: '/usr/bin:/bin', HOME: home, ...loggedIn, SLUICE_SERVER: server.url },
    timeout: runMsMax,
  })
  const code = await new Promise((resolve) => {
    child.once('close', resolve)
  })

  expect(code).toBe(expected)
})

test('status shows the rest when one part is down', async () => {
  await using server = await openGraphFixture({
    ...root,
    viewer: {
      ...fixtureViewer,
      organization: {
        ...fixtureOrganization,
        plan() {
          throw new SluiceError('SLUICE_SUBGRAPH_UNAVAILABLE')
        },
        tunnels,
      },
    },
  })
  const { code, stdout, stderr } = await sluice(['status'], {
    env: { ...loggedIn, SLUICE_SERVER: server.url },
  })

  expect(code).toBe(0)
  expect(stdout).toContain('1 of 2 online')
  expect(stdout).toContain('plan not known')
  expect(stderr).toContain('SLUICE_SUBGRAPH_UNAVAILABLE')
})

test('a failure is a title with its code, why, what to do, and where to read more', async () => {
  const away = { ...loggedIn, SLUICE_SERVER: 'http://localhost:1' }
  const text = await sluice(['http', '3000'], { env: away })
  const json = await sluice(['3000', '--json'], { env: away })

  expect(text).toMatchObject({ code: 5, stdout: '' })
  expect(text.stderr).toMatch(
    /^http:\/\/localhost:1 does not answer\. \(SLUICE_SERVER_UNREACHABLE\)\n +Why: .+\n +What to do: .+\n +More: +https:.+SLUICE_SERVER_UNREACHABLE\n$/,
  )
  expect(json).toMatchObject({ code: 5, stderr: '' })
  expect(JSON.parse(json.stdout)).toMatchObject({
    event: 'error',
    code: 'SLUICE_SERVER_UNREACHABLE',
    title: expect.any(String),
    cause: expect.any(String),
    fix: expect.any(String),
    docs: expect.stringContaining('https://'),
  })
})

test('a refusal of the server decides the exit code', async () => {
  await using server = await openGraphFixture({
    ...root,
    startTunnel() {
      throw new SluiceError('SLUICE_ENDPOINT_HOST_TAKEN', { endpointHost: 'app.tunnel.localhost' })
    },
  })
  const { code, stderr } = await sluice(['http', '3000', '--name', 'app'], {
    env: { ...loggedIn, SLUICE_SERVER: server.url },
  })

  expect(code).toBe(4)
  expect(stderr).toContain('app.tunnel.localhost is taken. (SLUICE_ENDPOINT_HOST_TAKEN)')
})

test.for([
  [['htp', '3000'], 'Did you mean http?', 'SLUICE_COMMAND_UNKNOWN'],
  [['http', '3000', '--nam', 'x'], 'Did you mean --name?', 'SLUICE_USAGE'],
  [['http'], 'Missing required argument', 'sluice help http'],
  [['http', 'nowhere'], 'it has no port', 'SLUICE_USAGE'],
  [['http', '3000/path'], 'a path cannot be forwarded to', 'SLUICE_USAGE'],
  [['logs', '-n', '101'], 'from 0 to 100', 'SLUICE_USAGE'],
  [['tunnels', '--server', 'nowhere'], 'The server nowhere is not valid', 'SLUICE_USAGE'],
  [['tunnels', 'extra'], 'Too many arguments', 'SLUICE_USAGE'],
] as const)('%j is refused with what to do', async ([args, text, code]) => {
  const { code: exitCode, stderr } = await sluice(args, { env: loggedIn })

  expect(exitCode).toBe(2)
  expect(stderr).toContain(text)
  expect(stderr).toContain(code)
})

test('a command line that is not valid links to the page of the server in use', async () => {
  const { stderr } = await sluice(['http'], {
    env: { ...loggedIn, SLUICE_SERVER: 'https://sluice.example.com' },
  })

  expect(stderr).toContain('https://sluice.example.com/errors/SLUICE_USAGE')
})

test('help leads with examples, wherever it is asked for', async () => {
  const all = await Promise.all([sluice([]), sluice(['--help']), sluice(['help', 'http'])])

  for (const { code, stdout, stderr } of all) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Examples:\n {2}sluice /)
    expect(stdout).toContain('--server <url>')
  }
})

test('a broken configuration file is moved aside, and said', async () => {
  await using server = await openGraphFixture(root)
  await sluice(['login', '--server', server.url], { stdin: fixtureAuthtoken })
  const path = join(home, '.config/sluice/config.json')
  await truncate(path, 10)

  const { code, stderr } = await sluice(['status'])

  expect(code).toBe(3)
  expect(stderr).toContain('was moved to')
})
