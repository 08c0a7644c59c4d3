import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { createServer as createGateway } from '@sluice/gateway/server'
import { silentLog } from '@sluice/kit/log'
import { generatePrivateJwks } from '@sluice/kit/signing-keys'
import { openEmptyDatabase, openTestRedis } from '@sluice/kit/testing'
import { openDnsServer } from '@sluice/kit/testing-dns-server'
import { unusedPort } from '@sluice/kit/unused-port'
import manifest from '@sluice/schema/operations/manifest.json' with { type: 'json' }
import { chromium } from 'playwright-core'
import { build } from 'vite'
import { expect, inject, test } from 'vitest'

import { openSubgraphs } from '../graph/subgraphs.ts'
import { client, openOidcProvider } from './oidc-provider.ts'

const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
const waitMs = 30_000

/** The platform with its built console at one origin, a DNS server and a browser. */
async function openStage() {
  await using opened = new AsyncDisposableStack()
  const dns = opened.adopt(await openDnsServer(), (one) => one.close())
  const database = opened.use(await openEmptyDatabase(inject('databaseUrl')))
  const redis = opened.use(await openTestRedis(inject('redisUrl')))
  const internalJwks = await generatePrivateJwks(1)
  const port = await unusedPort()
  const origin = `http://localhost:${port}`
  const consoleDist = opened.adopt(await mkdtemp(join(tmpdir(), 'console-')), (folder) =>
    rm(folder, { recursive: true, force: true }),
  )
  const root = fileURLToPath(new URL('../../../../console', import.meta.url))
  await build({ root, logLevel: 'error', build: { outDir: consoleDist, emptyOutDir: true } })
  const subgraphs = opened.use(
    await openSubgraphs({
      databaseUrl: database.url,
      redisUrl: redis.url,
      internalJwks,
      consoleOrigin: origin,
      webhookKeys: [{ id: 'test', key: Buffer.alloc(32) }],
      dnsServers: [dns.address],
      log: silentLog,
    }),
  )
  opened.adopt(
    await createGateway({
      port,
      host: 'localhost',
      manifest,
      subgraphs: subgraphs.urls,
      identityUrl: subgraphs.urls.identity,
      internalSigningJwks: internalJwks,
      redisUrl: redis.url,
      consoleOrigin: origin,
      consoleDist,
      documents: 'any',
      relayKeyHashes: [],
      log: silentLog,
    }),
    (one) => one.close(),
  )
  const browser = opened.adopt(
    await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags }),
    (one) => one.close(),
  )
  const { email, password } = subgraphs.firstAdmin
  const closing = opened.move()
  return {
    origin,
    dns,
    database,
    browser,
    admin: { email, password },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- The shape is the answer's; the test reads it as it asked for it.
type Answer = Record<string, any>

/** What a script of the organization sends. */
function callerOf(origin: string, token: () => string) {
  const send = async (method: string, path: string, body: unknown) => {
    const response = await fetch(origin + path, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token()}` },
      body: body === undefined ? null : JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as Answer }
  }
  return {
    put: (body: unknown) => send('PUT', '/v1/admin/sso', body),
    get: () => send('GET', '/v1/admin/sso', undefined),
    async graph(query: string, variables: object) {
      const { body } = await send('POST', '/graphql', { query, variables })
      if (body['errors']) throw new TypeError(JSON.stringify(body['errors']))
      return body['data'] as Answer
    },
  }
}

test('a company sets single sign-on up by REST, and its people come in and go out in a browser', async () => {
  await using stage = await openStage()
  const { origin, dns, browser, admin } = stage
  const domain = 'acme.example.com'
  await using provider = await openOidcProvider(origin, `grace@${domain}`)
  let token = ''
  const caller = callerOf(origin, () => token)
  const signedIn = await fetch(`${origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: textOf('SignIn'), variables: { ...admin, code: null } }),
  })
  const { data } = (await signedIn.json()) as { data: { signIn: { accessToken: string } } }
  token = data.signIn.accessToken

  // Set up by a script.
  const before = await caller.get()
  expect(before).toMatchObject({ status: 200, body: { kind: null, enforcement: 'OFF' } })
  const { organizationId } = before.body
  const added = await caller.graph(
    'mutation($id: ID!, $domain: String!) { addEmailDomain(organizationId: $id, domain: $domain) { id txtName txtValue } }',
    { id: organizationId, domain },
  )
  dns.txt(added['addEmailDomain'].txtName, added['addEmailDomain'].txtValue)
  await caller.graph('mutation($id: ID!) { verifyEmailDomain(id: $id) { status } }', {
    id: added['addEmailDomain'].id,
  })
  const wrong = await caller.put({ oidc: { issuer: 'not an address', ...client } })
  expect(wrong).toMatchObject({ status: 400, body: { code: 'SLUICE_ADDRESS_INVALID' } })
  const set = await caller.put({
    oidc: { issuer: provider.issuer, ...client },
    roles: { admitsNewMembers: true, defaultRole: 'DEVELOPER', mappings: [] },
  })
  expect(set).toMatchObject({
    status: 200,
    body: { kind: 'OIDC', issuer: provider.issuer, emailDomains: [{ domain, status: 'VERIFIED' }] },
  })
  expect(JSON.stringify(set.body)).not.toContain(client.clientSecret)
  expect(await caller.put({ enforcement: 'optional' })).toMatchObject({
    status: 409,
    body: { code: 'SLUICE_SSO_UNTESTED' },
  })

  // Tested in a browser.
  const context = await browser.newContext()
  const page = await context.newPage()
  page.setDefaultTimeout(waitMs)
  const { startSsoTest } = await caller.graph(
    'mutation($id: ID!) { startSsoTest(organizationId: $id, returnTo: "/sign-in") }',
    { id: organizationId },
  )
  await page.goto(origin + startSsoTest)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(await caller.put({ enforcement: 'optional' })).toMatchObject({
    status: 200,
    body: { enforcement: 'OPTIONAL' },
  })

  // In, by the address alone.
  await page.getByRole('link', { name: 'Use single sign-on' }).click()
  await page.getByLabel('Work email, or organization').fill(`grace@${domain}`)
  await page.keyboard.press('Enter')
  const account = page.getByRole('button', { name: 'Grace Hopper' })
  await account.waitFor()
  expect(page.url()).toMatch(/\/o\/[^/]+\/tunnels$/)
  // The sign-in stays when the page is loaded again.
  await page.reload()
  await account.waitFor()

  // Out, here and there.
  await account.click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL(`${provider.issuer}/**`)
  await page.goto(`${origin}/`)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()

  // A callback that nobody asked for leads to a page that says so.
  await page.goto(`${origin}/auth/sso/callback/${set.body['connectionId']}?state=x&code=y`)
  await page.getByText('This sign-in cannot be finished.').waitFor()
}, 180_000)

function textOf(name: string): string {
  const found = Object.values(manifest as Record<string, { name: string; text: string }>)
  const { text } = found.find((one) => one.name === name) ?? {}
  if (text === undefined) throw new TypeError(`no document ${name}`)
  return text
}
