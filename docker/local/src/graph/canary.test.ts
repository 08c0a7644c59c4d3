import { createLog } from '@sluice/kit/log'
import { expect, test } from 'vitest'

import { createTunnel } from './traffic.ts'
import { eventually, freshIp, openWorld, password, signInText, type World } from './world.ts'

/** Everything in the database, as a dump has it. */
async function dump(world: World): Promise<string> {
  const tables = await world.sql<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  )
  const lines = await world.sql<{ line: string }>(
    tables
      .map(({ name }) => `select '${name} ' || to_jsonb(one)::text as line from ${name} as one`)
      .join(' union all '),
  )
  return lines.map(({ line }) => line).join('\n')
}

/** The forms in which a secret would be found in a dump. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('base64'),
    bytes.toString('hex'),
  ]
}

test('no secret that was ever given or shown is in the database or in the logs', async () => {
  let logs = ''
  const log = createLog('canary', 'debug', { write: (line) => void (logs += line) })
  await using world = await openWorld([], { log })
  const owner = await world.signUp('canary')
  const { token, organizationId: id } = owner
  const ask = async (query: string, variables: Record<string, unknown> = {}) => {
    const answer = await world.ask(query, variables, { token })
    if (answer.errors) throw new TypeError(answer.text)
    return answer.data
  }
  const given = {
    typed: `mistyped-${crypto.randomUUID()}`,
    visitorPassword: `visitor-${crypto.randomUUID()}`,
    signingSecret: `whsec_${crypto.randomUUID()}`,
    bucketKey: `bucket-${crypto.randomUUID()}`,
    clientSecret: `client-${crypto.randomUUID()}`,
  }
  const wrong = { email: owner.email, password: given.typed }
  await world.ask(signInText, wrong, { ip: freshIp() })
  await world.ask('{ me { id } }', {}, { token: `slt_${given.typed}` })
  const tunnel = await createTunnel(world, owner)
  await ask(
    `mutation($id: ID!, $password: String!, $secret: String!) { updateTunnel(id: $id, input: { policy: {
      basicAuth: [{ user: "ada", password: $password }], webhook: { provider: STRIPE, secret: $secret } } }) { id } }`,
    { id: tunnel.id, password: given.visitorPassword, secret: given.signingSecret },
  )
  const shown = await ask(
    `mutation($id: ID!) {
      authtoken: createAuthtoken(organizationId: $id, name: "canary") { secret }
      apiKey: createApiKey(input: { organizationId: $id, name: "canary", permissions: ["tunnels.read"] }) { secret }
      scim: createScimToken(input: { organizationId: $id, name: "canary" }) { secret }
      webhook: createWebhookEndpoint(organizationId: $id, input: { url: "https://hooks.example.com", events: ["tunnel.created"] }) { secret }
      stream: createAuditStream(organizationId: $id, name: "canary", kind: WEBHOOK, url: "https://siem.example.com") { secret }
      totp: startSecondFactor { secret }
    }`,
    { id },
  )
  await ask(
    `mutation($id: ID!, $key: String!) { createAuditStream(organizationId: $id, name: "bucket", kind: BUCKET,
      url: "https://s3.example.com/audit", accessKeyId: "AKIACANARY", secretAccessKey: $key) { stream { id } } }`,
    { id, key: given.bucketKey },
  )
  await ask(`mutation($id: ID!) { createSsoConnection(organizationId: $id, kind: OIDC) { id } }`, {
    id,
  })
  // Refused, as nobody answers there; the secret has travelled all the same.
  const oidc = await world.ask(
    `mutation($id: ID!, $secret: String!) { configureOidc(input: { organizationId: $id, issuer: "https://idp.example.com", clientId: "canary", clientSecret: $secret }) { id } }`,
    { id, secret: given.clientSecret },
    { token },
  )
  expect(oidc.status).toBe(200)
  await world.ask('mutation { refreshSignIn { accessToken } }', {}, { cookie: owner.cookie })

  const secrets: string[] = [
    password,
    token,
    owner.cookie.split('=')[1] ?? '',
    ...Object.values(given),
    ...Object.values(shown as Record<string, { secret: string }>).map(({ secret }) => secret),
  ]
  expect(secrets.filter((secret) => secret.length < 16)).toEqual([])
  // What was told of it is everywhere by now.
  await eventually(async () => (await dump(world)).includes('tunnel.changed'))
  const found = (text: string) =>
    secrets.filter((secret) => formsOf(secret).some((form) => text.includes(form)))
  expect(found(await dump(world))).toEqual([])
  expect(found(logs)).toEqual([])
  expect(logs).not.toBe('')
})
