import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { barriers, createStage } from './browser.ts'
import type { Stage } from './browser.ts'
import { ago, requestOf, tunnelOf } from './data.ts'
import { createWorld } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage.close())

const captured = (number: number, changes: object = {}, missed = 0) => ({
  cursor: String(number),
  missed,
  request: { ...requestOf(number, changes), tunnel: { id: 't1', name: 'calm-otter' } },
})
const rowsOf = (page: Page) => page.locator('tr[data-request]')
/** The streams are open: what happens from here on arrives. */
const untilLive = (page: Page) => page.waitForSelector('[data-connection=live]')
const until = (isTrue: () => boolean) => vi.waitFor(() => expect(isTrue()).toBe(true), 15_000)

test('with the keyboard alone: sign in, then create an authtoken', async () => {
  await using opened = await stage.open('/sign-in', { world: createWorld({ isSignedIn: false }) })
  const { page, world, complaints } = opened
  await page.waitForSelector('input[name=email]:focus')
  expect(await barriers(page)).toEqual([])
  await page.keyboard.type('ada@example.com')
  await page.keyboard.press('Tab')
  await page.keyboard.type('wrong')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').getByText('Email or password is wrong.').waitFor()

  await page.getByLabel('Password', { exact: false }).first().focus()
  await page.keyboard.press('Control+A')
  await page.keyboard.type('correct horse battery')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Tunnels', exact: true }).waitFor()

  await page.keyboard.press('g')
  await page.keyboard.press('a')
  // The heading of the page before has the focus until this one is there.
  await page.locator('h1:focus', { hasText: 'Authtokens' }).waitFor()

  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.waitForSelector('input[name=name]:focus')
  await page.keyboard.type('pocket')
  await page.keyboard.press('Enter')
  await page.getByText('slt_NEW0bq8Zr2Vn6cXw3LkTy7Hd9Mf1Gs5Pj4Ae0uQiWo', { exact: true }).waitFor()

  expect(
    await page.getByText('| node agent/dist/sluice.js login --server').textContent(),
  ).toContain(opened.url)
  expect(await barriers(page)).toEqual([])
  expect(world.data.authtokens[0]?.name).toBe('pocket')
  await page.keyboard.press('Escape')
  await page.getByRole('cell', { name: 'pocket', exact: true }).waitFor()
  expect(await page.content()).not.toContain('slt_NEW0bq8Zr2Vn6cXw3LkTy7')
  expect(complaints).toEqual([])
})

test('what a code means can be read without a sign-in', async () => {
  const world = createWorld({ isSignedIn: false })
  await using opened = await stage.open('/errors/SLUICE_TUNNEL_OFFLINE', { world })
  const { page } = opened
  await page.getByRole('heading', { name: 'SLUICE_TUNNEL_OFFLINE' }).waitFor()
  await page.getByText('no agent is connected').waitFor()
  expect(await page.locator('code').allTextContents()).toContain('sluice http <port> --name <name>')
  expect(await barriers(page)).toEqual([])
})

test('who has sluice installed is shown it, and is remembered', async () => {
  const world = createWorld({ isEmpty: true })
  await using opened = await stage.open('/o/acme/start', { world })
  const { page } = opened
  await page.getByText('node agent/dist/sluice.js http 3000').waitFor()
  await page.getByRole('button', { name: 'I have sluice installed' }).click()
  await page.getByText('sluice http 3000', { exact: true }).waitFor()
  await page.reload()
  await page.getByText('sluice http 3000', { exact: true }).waitFor()
  expect(await page.locator('.command code').allTextContents()).not.toContain('agent/dist')
})

test('the first Tab of a page offers to skip the side', async () => {
  await using opened = await stage.open('/o/acme/tunnels')
  const { page } = opened
  await page.getByText('staging-api').first().waitFor()
  await page.keyboard.press('Tab')
  expect(await page.locator(':focus').textContent()).toBe('Skip to the page')
  await page.keyboard.press('Enter')
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main')
})

test('who signs up is led to the first request, step by step, without a reload', async () => {
  const world = createWorld({ isSignedIn: false, isEmpty: true })
  await using opened = await stage.open('/sign-up', { world })
  const { page, complaints } = opened
  expect(await barriers(page)).toEqual([])
  await page.getByLabel('Name', { exact: false }).first().fill('Ada Lovelace')
  await page.getByLabel('Email', { exact: false }).fill('ada@example.com')
  await page.getByLabel('Password', { exact: false }).first().fill('correct horse battery')
  await page.getByRole('button', { name: 'Sign up' }).click()
  await page.getByRole('heading', { name: 'Get started' }).waitFor()

  await page.getByRole('button', { name: 'Create an authtoken' }).click()
  await page.getByText('| node agent/dist/sluice.js login --server').first().waitFor()
  await page.getByText('Waiting for the tunnel to come online…').waitFor()

  await untilLive(page)
  await until(() => world.statuses.listening > 0 && world.captured.listening > 0)
  const tunnel = tunnelOf('t1', 'calm-otter', 'ONLINE')
  world.data.tunnels.push(tunnel)
  world.statuses.publish({ tunnelId: 't1', status: 'ONLINE', at: ago(0), tunnel })
  await page.getByText('Waiting for the first request…').waitFor()

  world.captured.publish(captured(1, { path: '/.well-known/sluice-verify/x' }))
  world.captured.publish(captured(2, { path: '/hello' }))
  await page.getByText('GET /hello').waitFor()
  await page.getByRole('heading', { name: 'You are set up' }).waitFor()
  expect(complaints).toEqual([])
})

test('a page asked for before the sign-in is the page shown after it', async () => {
  const world = createWorld({ isSignedIn: false })
  await using opened = await stage.open('/o/acme/members', { world })
  const { page, url } = opened
  await page.getByLabel('Email', { exact: false }).fill('ada@example.com')
  await page.getByLabel('Password', { exact: false }).first().fill('correct horse battery')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('grace@example.com').waitFor()
  expect(page.url()).toBe(`${url}/o/acme/members`)
})

test('the sign-in never leads to another site', async () => {
  const world = createWorld({ isSignedIn: false })
  await using opened = await stage.open('/sign-in?to=//evil.example.com/', { world })
  const { page, url } = opened
  await page.getByLabel('Email', { exact: false }).fill('ada@example.com')
  await page.getByLabel('Password', { exact: false }).first().fill('correct horse battery')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('staging-api', { exact: true }).waitFor()
  expect(page.url()).toBe(`${url}/o/acme/tunnels`)
})

test('a sign-out in one tab is a sign-out in all, and keeps no credential', async () => {
  await using opened = await stage.open('/o/acme/tunnels')
  const { page, url, world } = opened
  const other = await page.context().newPage()
  await other.goto(`${url}/o/acme/members`)
  await other.getByText('grace@example.com').waitFor()

  await page.getByRole('button', { name: 'Ada Lovelace' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()

  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await other.getByRole('heading', { name: 'Sign in' }).waitFor()
  await until(() => !world.isSignedIn)
  const stored = await page.evaluate(() =>
    [localStorage, sessionStorage].flatMap((store) => Object.values(store)).join(),
  )
  expect(stored).not.toContain('fixture')
})

test('a tunnel that comes online shows at once, and a new one joins the list', async () => {
  await using opened = await stage.open('/o/acme/tunnels')
  const { page, world } = opened
  await untilLive(page)
  await until(() => world.statuses.listening > 0)
  const row = page.getByRole('row').filter({ hasText: 'staging-api' })
  expect(await row.textContent()).toContain('Offline')

  world.statuses.publish({
    tunnelId: 't2',
    status: 'ONLINE',
    at: ago(0),
    tunnel: { ...tunnelOf('t2', 'staging-api', 'ONLINE'), connections: 17 },
  })
  await row.getByText('Online').waitFor()
  expect(await row.textContent()).toContain('17')

  world.data.tunnels.push(tunnelOf('t9', 'fresh-heron', 'ONLINE'))
  world.statuses.publish({ tunnelId: 't9', status: 'ONLINE', at: ago(0), tunnel: null })
  await page.getByText('fresh-heron', { exact: true }).waitFor()
})

test('the edge policy is changed in one form, and secrets go in without coming out', async () => {
  await using opened = await stage.open('/o/acme/tunnels/t1')
  const { page, complaints, world } = opened
  await page.getByText('Everyone may visit').waitFor()

  await page.getByRole('button', { name: 'Change' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Add a user' }).click()
  await dialog.getByLabel('User 1', { exact: true }).fill('grace')
  await dialog.getByLabel('Password of user 1', { exact: true }).fill('refused')
  await dialog.getByLabel('Denied addresses').fill('198.51.100.7')
  await dialog.getByLabel('Requests per second').fill('50')
  await dialog.getByLabel('Add to requests').fill('X-Env: staging')
  await dialog.getByLabel('Signed webhooks only').selectOption('stripe')
  await dialog.getByLabel('Signing secret').fill('whsec_1')
  expect(await barriers(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Save the policy' }).click()
  // What the server refuses is said in the form, and nothing that was typed is lost.
  await dialog.getByText('the password of grace').waitFor()
  await dialog.getByLabel('Password of user 1', { exact: true }).fill('hunter2')
  await dialog.getByRole('button', { name: 'Save the policy' }).click()

  await page.getByText('nobody is disconnected').waitFor()
  await page.getByText('only what Stripe has signed').waitFor()
  await page.getByText('X-Env: staging').waitFor()
  const [tunnel] = world.data.tunnels
  expect(tunnel?.policy).toMatchObject({
    basicAuthUsers: ['grace'],
    denyIps: ['198.51.100.7'],
    requestRate: { perSecond: 50 },
    webhookProvider: 'STRIPE',
  })

  await page.getByRole('button', { name: 'Change' }).click()
  await dialog.getByText('It is set. Leave it empty to keep it.').waitFor()
  expect(await dialog.getByLabel('Signing secret').inputValue()).toBe('')
  expect(await dialog.getByLabel('Password of user 1', { exact: true }).inputValue()).toBe('')
  expect(complaints).toEqual([])
})

test('deleting a tunnel asks first and says what visitors will meet', async () => {
  await using opened = await stage.open('/o/acme/tunnels/t1')
  const { page, url, world } = opened
  await page.getByRole('button', { name: 'Delete' }).click()
  const dialog = page.getByRole('dialog', { name: 'Delete calm-otter?' })
  await dialog.getByText('calm-otter.tunnel.localhost stops working at once').waitFor()
  expect(await barriers(page)).toEqual([])

  await dialog.getByRole('button', { name: 'Delete the tunnel' }).click()
  await page.waitForURL(`${url}/o/acme/tunnels`)
  await page.getByText('staging-api', { exact: true }).waitFor()
  expect(await page.getByText('calm-otter', { exact: true }).count()).toBe(0)
  expect(world.data.tunnels.map(({ id }) => id)).not.toContain('t1')
})

test('requests appear as they happen; a pause holds them back and counts', async () => {
  await using opened = await stage.open('/o/acme/requests')
  const { page, world } = opened
  await rowsOf(page).first().waitFor()
  await until(() => world.captured.listening > 0)

  world.captured.publish(captured(1_000, { path: '/first-live' }))
  await rowsOf(page).first().getByText('/first-live').waitFor()

  await page.keyboard.press('p')
  world.captured.publish(captured(1_001, { path: '/held' }))
  world.captured.publish(captured(1_002, { path: '/held-too' }, 5))
  await page.getByText('Paused, 2 new').waitFor()
  expect(await page.getByText('/held', { exact: true }).count()).toBe(0)

  await page.getByRole('button', { name: 'Show 2 new' }).click()
  await page.getByText('/held-too').waitFor()
  await page.locator('tr[data-gap=slow]').getByText('5 requests came faster').waitFor()
})

test('the filter lives in the address, for what is stored and what is live', async () => {
  await using opened = await stage.open('/o/acme/requests?method=POST&status=2xx&path=%2Fhooks')
  const { page, world, url } = opened
  await rowsOf(page).first().waitFor()
  expect(await rowsOf(page).count()).toBe(12)
  await until(() => world.captured.listening > 0)

  world.captured.publish(captured(2_000, { method: 'GET', path: '/hooks/other' }))
  world.captured.publish(captured(2_001, { method: 'POST', path: '/hooks/mine' }))
  await page.getByText('/hooks/mine').waitFor()
  expect(await page.getByText('/hooks/other').count()).toBe(0)

  await page.getByRole('button', { name: 'Clear', exact: true }).click()
  await page.waitForURL(`${url}/o/acme/requests`)
  await page.keyboard.press('/')
  await page.keyboard.type('favicon')
  await page.waitForURL(`${url}/o/acme/requests?path=favicon`)
  await page.reload()
  await rowsOf(page).first().getByText('/favicon.ico').waitFor()
})

test('older requests are read page by page', async () => {
  await using opened = await stage.open('/o/acme/requests')
  const { page } = opened
  await rowsOf(page).first().waitFor()
  expect(await rowsOf(page).count()).toBe(50)
  await page.getByRole('button', { name: 'Load more' }).click()
  await page.getByText('60 requests.').waitFor()
  expect(await rowsOf(page).count()).toBe(60)
})

test('one tunnel’s requests come as they end, with their details', async () => {
  await using opened = await stage.open('/o/acme/requests?tunnel=t1')
  const { page, world } = opened
  await page.getByText('Tunnel: calm-otter').waitFor()
  await until(() => world.traffic.listening > 0)

  const { request, cursor } = captured(3_000, {
    path: '/now',
    status: 503,
    code: 'SLUICE_TUNNEL_OFFLINE',
  })
  world.traffic.publish({ cursor, missed: 0, request, tunnel: { id: 't1', name: 'calm-otter' } })
  await page.getByText('/now').first().waitFor()
  await page.keyboard.press('j')

  const detail = page.locator('[data-detail]')
  await detail.getByText('calm-otter.tunnel.localhost is offline.').waitFor()
  await detail.getByText('[redacted]').waitFor()
  expect(world.counts.get('CapturedRequest')).toBeUndefined()
})

test('after a lost connection the list is read again and nothing is missing', async () => {
  await using opened = await stage.open('/o/acme/requests')
  const { page, world, cut } = opened
  await rowsOf(page).first().waitFor()
  await until(() => world.captured.listening > 0)

  cut()
  world.data.requests.unshift(requestOf(4_000, { path: '/while-away' }))
  await page.getByText('/while-away').waitFor()
  await untilLive(page)
  await vi.waitFor(async () => expect(await page.locator('tr[data-gap]').count()).toBe(0), 15_000)

  await until(() => world.captured.listening > 0)
  world.captured.publish(captured(4_001, { path: '/back-again' }))
  await page.getByText('/back-again').waitFor()
})

test('a list of requests that gets no news does not call itself live', async () => {
  await using opened = await stage.open('/o/acme/requests')
  const { page } = opened
  const word = page.getByRole('main').getByRole('status')
  await word.getByText('Live', { exact: true }).waitFor()

  await page.context().setOffline(true)

  await word.getByText('Offline', { exact: true }).waitFor()
  expect(await word.getByText('Live', { exact: true }).count()).toBe(0)
})

test('a certificate is set, refused with its reason first, and removed, its key never shown', async () => {
  await using opened = await stage.open('/o/acme/domains')
  const { page } = opened
  await page.getByRole('button', { name: 'Replace the certificate of app.example.com' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Certificate chain').fill('hello')
  await dialog.getByLabel('Private key').fill('-----BEGIN PRIVATE KEY----- secret')
  await dialog.getByRole('button', { name: 'Set the certificate' }).click()
  await dialog.getByText('the chain holds no certificate in PEM').waitFor()

  await dialog.getByLabel('Certificate chain').fill('-----BEGIN CERTIFICATE-----')
  await dialog.getByRole('button', { name: 'Set the certificate' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.getByText('abababab').waitFor()
  expect(await page.content()).not.toContain('PRIVATE KEY----- secret')

  await page.getByRole('button', { name: 'Remove the certificate of app.example.com' }).click()
  await page.getByRole('button', { name: 'Remove the certificate', exact: true }).click()
  await page.getByRole('button', { name: 'Set the certificate of app.example.com' }).waitFor()
})

test('a domain is added, verified and attached, with the records to set in between', async () => {
  await using opened = await stage.open('/o/acme/domains')
  const { page } = opened
  await page.getByRole('button', { name: 'Add a domain' }).click()
  await page.getByRole('textbox', { name: 'Domain' }).fill('Shop.Example.com')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  const panel = page.locator('section.panel').filter({ hasText: 'shop.example.com' })
  await panel.getByText('_sluice-challenge.shop.example.com').waitFor()
  await panel.getByText('Missing').waitFor()

  await panel.getByRole('button', { name: 'Copy the value of the TXT record' }).click()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('sluice-verify=')

  await panel.getByRole('button', { name: 'Verify' }).click()
  await panel.getByText('Found').first().waitFor()
  await panel.getByPlaceholder('Choose a tunnel').click()
  await page.getByRole('option', { name: 'staging-api' }).click()
  await panel.getByRole('button', { name: 'Attach' }).click()
  await panel.getByRole('button', { name: 'Detach shop.example.com' }).waitFor()
})

test('a change that is refused says why and leaves the list true', async () => {
  await using opened = await stage.open('/o/acme/members')
  const { page } = opened
  const select = page.getByRole('combobox', { name: 'Role of Ada Lovelace' })
  await select.click()
  await page.getByRole('option', { name: 'Viewer' }).click()
  await page.getByRole('alert').getByText('An organization needs an owner.').waitFor()
  expect(await select.inputValue()).toBe('Owner')
})

test('a viewer is offered nothing that would be refused', async () => {
  const world = createWorld()
  world.role = 'VIEWER'
  await using opened = await stage.open('/o/acme/tunnels', { world })
  const { page, url } = opened
  await page.getByText('staging-api', { exact: true }).waitFor()
  expect(await page.getByRole('button', { name: 'Reserve a name' }).count()).toBe(0)
  expect(await page.getByRole('link', { name: 'Audit log' }).count()).toBe(0)
  await page.goto(`${url}/o/acme/authtokens`)
  await page.getByText('build server').waitFor()
  expect(await page.getByRole('button', { name: /Create|Revoke/ }).count()).toBe(0)
})

test('whoever looks after the money starts at the plan, and is offered nothing that would be refused', async () => {
  const world = createWorld()
  world.role = 'BILLING'
  await using opened = await stage.open('/', { world })
  const { page, url } = opened
  await page.getByRole('heading', { name: 'Plan and usage', level: 1 }).waitFor()
  expect(await page.getByRole('link', { name: /^(Tunnels|Authtokens|Domains)$/ }).count()).toBe(0)
  await page.goto(`${url}/o/acme/domains`)
  await page.getByRole('heading', { name: 'Domains', level: 1 }).waitFor()
  expect(await page.getByRole('button', { name: 'Add a domain' }).count()).toBe(0)
})

test('dark is kept over a reload, without a flash of light', async () => {
  await using opened = await stage.open('/o/acme/tunnels')
  const { page } = opened
  await page.getByRole('button', { name: 'Ada Lovelace' }).click()
  await page.getByRole('menuitem', { name: 'Dark' }).click()
  await page.reload({ waitUntil: 'commit' })
  await page.waitForSelector('html[data-mantine-color-scheme=dark]', { state: 'attached' })
  await page.getByText('staging-api', { exact: true }).waitFor()
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
    'rgb(17, 23, 25)',
  )
})

test('whoever leaves an organization is led to the next one', async () => {
  await using opened = await stage.open('/o/acme/members')
  const { page, url } = opened
  await page.getByRole('button', { name: 'Leave' }).click()
  const dialog = page.getByRole('dialog', { name: 'Leave Acme?' })
  await dialog.getByText('Authtokens that you made are revoked').waitFor()
  await dialog.getByRole('button', { name: 'Leave the organization' }).click()
  await page.waitForURL(`${url}/o/globex/tunnels`)
  expect(await page.getByText('Acme').count()).toBe(0)
})

test('a list that failed comes back by itself when the connection does', async () => {
  const world = createWorld()
  world.down.add('domains')
  await using opened = await stage.open('/o/acme/domains', { world })
  const { page, cut } = opened
  await page.getByRole('alert').waitFor()
  await untilLive(page)

  world.down.clear()
  cut()

  await page.getByRole('heading', { name: 'hooks.example.com' }).waitFor()
  expect(await page.getByRole('alert').count()).toBe(0)
})
