import { expect, test } from 'vitest'

import { apiKeyPrincipal, memberPrincipal } from './testing/principals.ts'
import { createWorld } from './testing/world.ts'

test('GraphiQL is given to admins alone, whole and from here', async () => {
  await using world = await createWorld()
  const app = async (token?: string) =>
    fetch(`${world.origin}/graphiql/app.js`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    })

  expect((await app()).status).toBe(403)
  expect((await app(world.signIn())).status).toBe(403)
  const given = await app(world.signIn(memberPrincipal({ isAdmin: true })))

  expect(given.status).toBe(200)
  const text = await given.text()
  expect(text.length).toBeGreaterThan(1_000_000)
  expect(text).toContain('sluiceAuthorization')
  expect(text).toContain('query Organizations')
})

test('the page loads nothing from elsewhere and no script of its own text', async () => {
  await using world = await createWorld()

  const page = await fetch(`${world.origin}/graphiql`)
  const html = await page.text()

  expect(page.headers.get('content-security-policy')).toContain("script-src 'self' blob:;")
  expect(html).toContain('mutation GraphiqlRefreshSignIn')
  expect(html).not.toMatch(/https?:|<script>/)
  expect((await fetch(`${world.origin}/graphiql/start.js`)).status).toBe(200)
})

test('GraphiQL on the public graph is given to API keys alone', async () => {
  await using world = await createWorld()
  const app = async (token: string) =>
    fetch(`${world.origin}/public/graphiql/app.js`, {
      headers: { authorization: `Bearer ${token}` },
    })

  expect((await fetch(`${world.origin}/public/graphiql/app.js`)).status).toBe(401)
  expect((await app(world.signIn(memberPrincipal({ isAdmin: true })))).status).toBe(403)
  const given = await app(world.signIn(apiKeyPrincipal()))

  expect(given.status).toBe(200)
  expect(await given.text()).toContain("endpoint: '/public/graphql'")
  const page = await (await fetch(`${world.origin}/public/graphiql`)).text()
  expect(page).toContain('API key')
  expect(page).not.toMatch(/https?:|<script>/)
  expect((await fetch(`${world.origin}/public/graphiql/start.js`)).status).toBe(200)
})
