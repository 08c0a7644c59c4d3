import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { AxeBuilder } from '@axe-core/playwright'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { createTargetGuard } from '../target-guard.ts'
import { createExchangeStore } from './exchange-store.ts'
import { openInspector } from './inspector.ts'

// A real relay, a browser, a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const waitMs = 20_000

let browser: Browser
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
}, 60_000)
afterAll(() => browser.close())

/** The page of an inspector, in a browser, with a service that answers what it was asked. */
async function openPage(scheme: 'light' | 'dark' = 'light') {
  await using stack = new AsyncDisposableStack()
  const service = createServer((asked, response) => {
    let body = ''
    asked.on('data', (chunk) => (body += String(chunk)))
    asked.once('end', () => response.end(`${asked.method} ${asked.url} ${body}`))
  }).listen(0, '127.0.0.1')
  await once(service, 'listening')
  stack.defer(() => {
    service.close()
    service.closeAllConnections()
  })
  const store = createExchangeStore()
  const inspector = await openInspector({ port: 0, store })
  stack.defer(() => inspector.close())
  const { port } = service.address() as AddressInfo
  const tap = inspector.inspect('app', {
    upstream: { host: '127.0.0.1', port, tls: false },
    hostHeader: 'preserve',
    guard: createTargetGuard(),
  })
  const context = await browser.newContext({ colorScheme: scheme, reducedMotion: 'reduce' })
  stack.defer(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(waitMs)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(inspector.url)
  await page.getByText('Live', { exact: true }).waitFor()
  const owned = stack.move()
  return {
    page,
    complaints,
    pass(path: string, answer = 'fine', type = 'text/plain') {
      const head = `POST ${path} HTTP/1.1\r\nHost: app.test\r\nX-Mark: one\r\n\r\n`
      const exchange = tap(Buffer.from(head), '192.0.2.7')
      exchange.onRequestData(Buffer.from('{"a":1}'))
      exchange.onResponseHead(Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n\r\n`))
      exchange.onResponseData(Buffer.from(answer))
      exchange.onEnd({ code: undefined, cut: false })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function faultsOf(page: Page) {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(', ')}`)
}

test('a request appears as it passes, can be read, and replayed with edits', async () => {
  await using world = await openPage()
  const { page } = world
  await page.getByText('No request has come yet').waitFor()

  world.pass('/orders?id=7')
  await page.getByRole('button', { name: '/orders?id=7' }).click()
  await page.getByText('X-Mark').waitFor()
  await page.getByRole('region', { name: 'Request body' }).getByText('"a": 1').waitFor()

  await page.getByRole('button', { name: 'Edit and replay' }).click()
  await page.getByLabel('Path').fill('/edited')
  await page.getByRole('textbox', { name: 'Body' }).fill('changed')
  await page.getByRole('button', { name: 'Send' }).click()

  await page.getByText('Sent again as #2.').waitFor()
  await page.getByText('POST /edited changed', { exact: true }).waitFor()
  await page.getByText('replay of #1').waitFor()
  expect(world.complaints).toEqual([])
})

test('the whole page is reached with the keyboard', async () => {
  await using world = await openPage()
  const { page } = world
  for (const path of ['/one', '/two', '/three']) world.pass(path)
  await page.getByRole('button', { name: '/three' }).waitFor()

  await page.getByLabel('Filter').focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByText('#2 POST /two').waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')

  await page.getByText('Sent again as #4.').waitFor()
  expect(world.complaints).toEqual([])
})

test.for(['light', 'dark'] as const)('nothing in it keeps anybody out, in %s', async (scheme) => {
  await using world = await openPage(scheme)
  const { page } = world
  expect(await faultsOf(page)).toEqual([])

  world.pass('/orders')
  await page.getByRole('button', { name: '/orders' }).click()
  await page.getByRole('button', { name: 'Edit and replay' }).click()
  await page.getByLabel('Headers').waitFor()

  expect(await faultsOf(page)).toEqual([])
})

test('what was captured is text, whatever it says', async () => {
  await using world = await openPage()
  const { page } = world
  const attack =
    '<img src=x onerror="document.title=\'taken\'"><script>document.title="taken"</script>'
  world.pass(`/${encodeURIComponent('x')}?<b>${attack}`, attack, 'text/html')

  await page.getByRole('button', { name: /onerror/ }).click()
  await page.getByRole('region', { name: 'Response body' }).getByText('<img src=x').waitFor()

  expect(await page.title()).toBe('Sluice inspector')
  expect(await page.locator('img, b, #content script').count()).toBe(0)
  expect(world.complaints).toEqual([])
})

test('clearing forgets everything, and the filter narrows the list', async () => {
  await using world = await openPage()
  const { page } = world
  world.pass('/apples')
  world.pass('/pears')
  await page.getByRole('button', { name: '/pears' }).waitFor()

  await page.getByLabel('Filter').fill('apples')
  await page.getByRole('button', { name: '/pears' }).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Clear' }).click()

  await page.getByText('Cleared.').waitFor()
  await page.getByText('No request has come yet').waitFor()
  expect(world.complaints).toEqual([])
})
