import { expect, test } from 'vitest'

import { projectText } from '../commands/import.ts'
import { parseProject } from '../project/read-project.ts'
import { importFrpc } from './import-frpc.ts'
import { importNgrok } from './import-ngrok.ts'
import type { Imported } from './imported.ts'

const notesOf = ({ notes }: Imported) => notes.map(({ line, key }) => `${line} ${key}`)

/** What the project file reads like once a person has set the variables. */
function projectOf(imported: Imported, env: NodeJS.ProcessEnv = {}) {
  const { project, faults } = parseProject(projectText(imported, 'old'), '/x/sluice.yml', env)
  expect(faults).toEqual([])
  return project
}

const ngrokV2 = `version: "2"
authtoken: 2abcSECRET
region: eu
web_addr: 127.0.0.1:5050
console_ui: false
tunnels:
  web:
    proto: http
    addr: 3000
    subdomain: shop
    host_header: rewrite
    auth: "ada:hunter2"
    inspect: false
    bind_tls: true
    ip_restriction:
      allow_cidrs: [203.0.113.0/24]
      deny_cidrs: [203.0.113.9/32]
    request_header:
      add: ["X-From: ngrok", "X-Api-Key: hunter3"]
      remove: [X-Old]
    verify_webhook:
      provider: stripe
      secret: hunter4
    oauth:
      provider: google
  ssh:
    proto: tcp
    addr: 22
    remote_addr: 1.tcp.ngrok.io:12345
  files:
    proto: http
    addr: file:///var/www
`

test('a file of ngrok 2 becomes tunnels, and what has no counterpart has its line', () => {
  const imported = importNgrok(ngrokV2, 'ngrok.yml')

  expect(imported.agent).toEqual({ 'inspect-port': 5050 })
  expect(imported.tunnels).toEqual({
    web: {
      target: 3000,
      name: 'shop',
      'host-header': 'rewrite',
      'basic-auth': ['env:WEB_BASIC_AUTH'],
      inspect: false,
      'allow-ip': ['203.0.113.0/24'],
      'deny-ip': ['203.0.113.9/32'],
      'request-header': ['X-From: ngrok', 'X-Api-Key: env:WEB_X_API_KEY'],
      'remove-request-header': ['X-Old'],
      'verify-webhook': 'stripe=env:WEB_WEBHOOK_SECRET',
    },
    ssh: { proto: 'tcp', target: 22 },
  })
  expect(notesOf(imported)).toEqual([
    '2 authtoken',
    '3 region',
    '12 tunnels.web.auth',
    '18 tunnels.web.request_header',
    '21 tunnels.web.verify_webhook',
    '24 tunnels.web.oauth',
    '29 tunnels.ssh.remote_addr',
    '32 tunnels.files.addr',
  ])
})

test('no secret of the other file gets into ours, nor into a remark', () => {
  const imported = importNgrok(ngrokV2, 'ngrok.yml')
  const all = JSON.stringify(imported) + projectText(imported, 'ngrok.yml')

  for (const secret of ['2abcSECRET', 'hunter2', 'hunter3', 'hunter4']) {
    expect(all).not.toContain(secret)
  }
})

test('what comes out is a valid project file', () => {
  const project = projectOf(importNgrok(ngrokV2, 'ngrok.yml'), {
    WEB_BASIC_AUTH: 'ada:pw',
    WEB_X_API_KEY: 'k',
    WEB_WEBHOOK_SECRET: 's',
  })

  expect(project?.tunnels.map(({ key, kind }) => `${key} ${kind}`)).toEqual(['web http', 'ssh tcp'])
})

test('a file of ngrok 3 with endpoints becomes tunnels too', () => {
  const imported = importNgrok(
    `version: 3
agent:
  authtoken: SECRET
  web_addr: false
  proxy_url: http://user:hunter2@proxy:3128
endpoints:
  - name: My App
    url: https://app.example.com
    upstream:
      url: http://localhost:8080/
      protocol: http2
    traffic_policy: { on_http_request: [] }
  - url: tcp://
    upstream: { url: tcp://localhost:5432, proxy_protocol: 2 }
tunnels:
  old: { addr: "https://localhost:8443" }
`,
    'ngrok.yml',
  )

  expect(imported.agent).toEqual({ inspect: false })
  expect(imported.tunnels).toEqual({
    old: { target: 'https://localhost:8443' },
    'my-app': { target: 'http://localhost:8080', name: 'app', 'upstream-protocol': 'http2' },
    'endpoint-2': { proto: 'tcp', target: 'localhost:5432' },
  })
  expect(notesOf(imported)).toEqual([
    '3 agent.authtoken',
    '5 agent.proxy_url',
    '8 endpoints.0.url',
    '12 endpoints.0.traffic_policy',
    '14 endpoints.1.upstream.proxy_protocol',
  ])
  expect(JSON.stringify(imported)).not.toMatch(/hunter2|SECRET/)
  projectOf(imported)
})

const frpc = `serverAddr = "frp.example.com"
serverPort = 7000
auth.method = "token"
auth.token = "hunter2"

[[proxies]]
name = "web"
type = "http"
localPort = 3000
subdomain = "shop"
hostHeaderRewrite = "shop.local"
httpUser = "ada"
httpPassword = "hunter3"
locations = ["/api"]
requestHeaders.set.x-from = "frp"
requestHeaders.set.x-token = "hunter4"
transport.bandwidthLimit = "1MB"

[[proxies]]
name = "db"
type = "tcp"
localIP = "10.0.0.5"
localPort = 5432
remotePort = 6000
[proxies.transport]
proxyProtocolVersion = "v2"

[[proxies]]
name = "tls"
type = "https"
localPort = 8443
customDomains = ["secure.example.com"]

[[proxies]]
name = "dns"
type = "udp"
localPort = 53

[[proxies]]
name = "private"
type = "stcp"
secretKey = "hunter5"
localPort = 22
`

test('frpc.toml becomes tunnels, and what has no counterpart has its line', () => {
  const imported = importFrpc(frpc, 'frpc.toml')

  expect(imported.tunnels).toEqual({
    web: {
      target: 3000,
      name: 'shop',
      'host-header': 'shop.local',
      'basic-auth': ['env:WEB_BASIC_AUTH'],
      'request-header': ['x-from: frp', 'x-token: env:WEB_X_TOKEN'],
      bandwidth: '1mb',
    },
    db: { proto: 'tcp', target: '10.0.0.5:5432' },
    tls: { proto: 'tls', target: 8443, name: 'secure' },
    dns: { proto: 'udp', target: 53 },
  })
  expect(notesOf(imported)).toEqual([
    '3 auth',
    '13 proxies.web.httpPassword',
    '14 proxies.web.locations',
    '15 proxies.web.requestHeaders',
    '24 proxies.db.remotePort',
    '25 proxies.db.transport',
    '32 proxies.tls.customDomains',
    '41 proxies.private.type',
  ])
  expect(JSON.stringify(imported)).not.toContain('hunter')
  projectOf(imported, { WEB_BASIC_AUTH: 'a:b', WEB_X_TOKEN: 't' })
})

test.for([
  [() => importNgrok('tunnels: [', 'ngrok.yml'), /ngrok\.yml:\d+:\d+: /],
  [() => importNgrok('just text', 'ngrok.yml'), /ngrok\.yml/],
  [() => importFrpc('a = = b', 'frpc.toml'), /frpc\.toml:1:\d+: /],
] as const)('a file that cannot be read says where: %#', ([read, reason]) => {
  expect(read).toThrow(
    expect.objectContaining({
      code: 'SLUICE_PROJECT_INVALID',
      details: expect.objectContaining({ reason: expect.stringMatching(reason) }),
    }),
  )
})

test.for([
  [
    'frpc.toml',
    '[[proxies]]\nname = "web"\ntype = "http"\nlocalPort = 80\ncustomDomains = ["www.shop.example"]',
  ],
  [
    'ngrok.yml',
    'version: 3\nendpoints:\n  - name: web\n    url: https://www.shop.example\n    upstream: { url: 80 }',
  ],
] as const)('%s: no tunnel is named www, which servers keep to themselves', ([file, text]) => {
  const imported = file === 'frpc.toml' ? importFrpc(text, file) : importNgrok(text, file)
  expect(imported.tunnels).toEqual({ web: { target: 80, name: 'shop' } })
})
