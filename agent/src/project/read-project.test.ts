import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { parseProject, readProject } from './read-project.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-project-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = join(folder, 'sluice.yml')
const read = (text: string, env: NodeJS.ProcessEnv = {}) => parseProject(text, file, env)

/** What is wrong with a file, as an editor would list it. */
const faultsOf = (text: string, env: NodeJS.ProcessEnv = {}) =>
  read(text, env).faults.map(({ line, column, message }) => `${line}:${column} ${message}`)

test('a tunnel needs a target and nothing else', () => {
  const { project } = read('version: 1\ntunnels:\n  app:\n    target: 3000\n')

  expect(project?.tunnels).toEqual([
    {
      key: 'app',
      kind: 'http',
      upstream: { host: 'localhost', port: 3000, tls: false },
      input: { name: 'app' },
      inspect: true,
    },
  ])
})

test('every flag of the command line has its key', () => {
  writeFileSync(join(folder, 'logins.txt'), 'bob:pw2\n')
  const { project, faults } = read(
    `version: 1
agent: { server: https://sluice.example.test, authtoken: env:TOKEN, inspect-port: 5050 }
tunnels:
  shop:
    target: https://localhost:8443
    name: my-shop
    region: eu
    host-header: rewrite
    basic-auth: ['\${LOGIN}', '@logins.txt']
    allow-ip: [203.0.113.0/24]
    deny-ip: [203.0.113.9]
    inspect: false
    rate-limit: 50/s:100
    bandwidth: 10mb
    request-header: ['X-From: sluice']
    remove-response-header: [Server]
    compress: true
    verify-webhook: stripe=env:STRIPE
`,
    { TOKEN: 'slt_x', LOGIN: 'ada:pw', STRIPE: 'whsec' },
  )

  expect(faults).toEqual([])
  expect(project?.agent).toEqual({
    server: 'https://sluice.example.test',
    authtoken: 'slt_x',
    inspect: true,
    allowTargets: [],
    inspectPort: 5050,
  })
  expect(project?.tunnels[0]).toMatchObject({
    upstream: { port: 8443, tls: true },
    inspect: false,
    input: {
      name: 'my-shop',
      region: 'eu',
      hostHeader: 'rewrite',
      policy: {
        basicAuth: [
          { user: 'ada', password: 'pw' },
          { user: 'bob', password: 'pw2' },
        ],
        allowIps: ['203.0.113.0/24'],
        denyIps: ['203.0.113.9'],
        requestRate: { perSecond: 50, burst: 100 },
        bandwidthBytesPerSecond: 10_000_000,
        requestHeaders: { add: [{ name: 'X-From', value: 'sluice' }], remove: [] },
        responseHeaders: { add: [], remove: ['Server'] },
        compression: true,
        webhook: { provider: 'STRIPE', secret: 'whsec' },
      },
    },
  })
})

test('a tunnel of another kind has keys of its own, and none of those that mean nothing for it', () => {
  const { project } = read(`version: 1
tunnels:
  db: { proto: tcp, target: 5432, port: 10001, proxy-protocol: 2, allow-ip: [10.0.0.0/8], rate-limit: 5/s }
  dns: { proto: udp, target: 'box:53' }
  web: { target: 3000, proxy-protocol: 1 }
`)

  expect(project?.tunnels).toMatchObject([
    {
      kind: 'tcp',
      input: { kind: 'TCP', port: 10_001, policy: { requestRate: { perSecond: 5 } } },
      raw: { proxyProtocol: 2 },
    },
    { kind: 'udp', input: { kind: 'UDP' }, upstream: { host: 'box', port: 53 } },
    { kind: 'http', proxyProtocol: 1 },
  ])
  expect(
    faultsOf(`version: 1
tunnels:
  db: { proto: tls, target: 'http://x', port: 1, compress: true }
`),
  ).toEqual([
    '3:29 The target http://x is not valid: it is a port, or host:port.',
    '3:41 port means nothing for a tls tunnel',
    '3:50 compress means nothing for a tls tunnel',
  ])
})

test('the PROXY protocol is refused where a connection is not one visitor’s', () => {
  expect(
    faultsOf(`version: 1
tunnels:
  dns: { proto: udp, target: 53, proxy-protocol: 1 }
  rpc: { target: 'h2c://localhost:50051', proxy-protocol: 1 }
`),
  ).toEqual([
    '3:34 proxy-protocol means nothing for a udp tunnel',
    '4:59 --proxy-protocol needs a connection for each request, which HTTP/2 does not have.',
  ])
})

test('an empty list clears what the server has stored, an absent one leaves it', () => {
  const policyOf = (line: string) =>
    read(`version: 1\ntunnels:\n  app:\n    target: 1\n${line}`).project?.tunnels[0]?.input.policy

  expect(policyOf('')).toBeUndefined()
  expect(policyOf('    allow-ip: []\n')).toEqual({ basicAuth: [], allowIps: [], denyIps: [] })
})

test('all faults are found at once, each with its line and column', () => {
  const text = `version: 1
tunnels:
  app:
    taget: 3000
    target: 0
    allow-ip: [10.0.0.0/99]
  Shop:
    target: 3001
  docs: {}
agnet: {}
`
  expect(faultsOf(text)).toEqual([
    '4:5 unknown key taget; did you mean target?',
    '5:13 expected a port from 1 to 65535',
    '7:3 a name consists of lower-case letters, digits and hyphens',
    '9:9 target is missing: expected a port, host:port, http://host:port or https://host:port',
    '10:1 unknown key agnet; did you mean agent?',
  ])
})

test('what the shape cannot know is said at its place too', () => {
  const text = `version: 1
tunnels:
  app:
    target: ftp://x
    allow-ip: [10.0.0.0/99]
    basic-auth: [env:NOT_SET]
  shop:
    target: 1
    name: app
`
  expect(faultsOf(text)).toEqual([
    '4:13 The target ftp://x is not valid: only http://, https://, h2c:// and h2:// are forwarded.',
    '5:15 --allow-ip takes an address or a block such as 203.0.113.0/24, not 10.0.0.0/99.',
    '6:17 --basic-auth env:NOT_SET: the variable is not set.',
  ])
  expect(faultsOf(text.replace('ftp://x', '2').replace('/99', '/8'), { NOT_SET: 'a:b' })).toEqual([
    '9:11 app has the name app already',
  ])
})

test('a secret in the file is refused, and not repeated', () => {
  const faults = faultsOf('version: 1\ntunnels:\n  a: { target: 1, basic-auth: [ada:hunter2] }\n')

  expect(faults).toHaveLength(1)
  expect(faults[0]).toMatch(/^3:32 .*does not stand in this file/)
  expect(faults.join()).not.toContain('hunter2')
})

test('variables are filled in, with a default, and one that is missing has a position', () => {
  const text =
    'version: 1\ntunnels:\n  app:\n    target: ${HOST:-localhost}:${PORT}\n    name: $${x}\n'

  expect(faultsOf(text)).toEqual(['4:32 ${PORT} is not set'])
  const { project } = read(text, { PORT: '81', HOST: 'box' })
  expect(project?.tunnels[0]).toMatchObject({ upstream: { host: 'box', port: 81 } })
  expect(project?.tunnels[0]?.input.name).toBe('${x}')
})

test('a variable cannot smuggle in structure', () => {
  const { project } = read('version: 1\ntunnels:\n  app:\n    target: 1\n    region: ${R}\n', {
    R: 'eu\n    host-header: evil',
  })

  expect(project?.tunnels[0]?.input).toEqual({ name: 'app', region: 'eu\n    host-header: evil' })
})

test.for([
  ['tunnels:\n\t- a', /^\d+:\d+ /],
  ['version: 1\nversion: 1\ntunnels: {}\n', /^2:1 map keys must be unique/],
  ['', /^1:1 expected a mapping/],
  ['version: 2\ntunnels: {}\n', /^1:10 expected version: 1/],
  ['- a\n', /^1:1 expected a mapping/],
  [`version: 1\ntunnels: { a: { target: ${'x'.repeat(300_000)} } }`, /^1:1 the file is larger/],
] as const)('broken text is a fault with a place, never a crash: %#', ([text, fault]) => {
  expect(faultsOf(text)[0]).toMatch(fault)
})

test('a few lines of aliases do not become billions of values', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 9; level += 1) {
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    )
  }

  expect(faultsOf(lines.join('\n'))).toContainEqual(expect.stringContaining('too many values'))
})

test('an alias that contains itself is a fault', () => {
  expect(faultsOf('version: 1\ntunnels: &t\n  app: *t\n').length).toBeGreaterThan(0)
})

test('a metadata service is a target only when it is named on purpose', () => {
  const text = 'version: 1\ntunnels: { a: { target: "169.254.169.254:80" } }\n'

  expect(faultsOf(text)).toEqual([expect.stringMatching(/^2:25 169\.254\.169\.254 is refused: /)])
  expect(faultsOf(`agent: { allow-target: [169.254.169.254] }\n${text}`)).toEqual([])
})

test('a file that is not there is named', () => {
  expect(() => readProject(join(folder, 'none.yml'), {})).toThrow(
    expect.objectContaining({ code: 'SLUICE_CONFIG_NOT_READ' }),
  )
})
