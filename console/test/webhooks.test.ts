import { afterAll, beforeAll, expect, test } from 'vitest'

import { barriers, createStage } from './browser.ts'
import type { Stage } from './browser.ts'
import { createWorld } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage.close())

test('an endpoint is added, its secret shown once, and a test sent to it', async () => {
  await using opened = await stage.open('/o/acme/webhooks')
  const { page, world } = opened
  await page.getByRole('button', { name: 'Add an endpoint' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add an endpoint' })
  await dialog.getByLabel('Address').fill('http://example.com/hook')
  await dialog.getByRole('checkbox', { name: 'request.captured' }).check()
  await dialog.getByLabel('Requests per minute').fill('30')
  expect(await barriers(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Add', exact: true }).click()
  await dialog.getByRole('alert').getByText('it does not begin with https://').waitFor()
  await dialog.getByLabel('Address').fill('https://example.com/hook')
  await dialog.getByRole('button', { name: 'Add', exact: true }).click()

  const shown = page.getByRole('dialog', { name: 'The secret of the endpoint' })
  await shown.getByText('whsec_').waitFor()
  await shown.getByRole('button', { name: 'I have copied it' }).click()
  expect(world.data.webhookEndpoints.at(-1)).toMatchObject({
    url: 'https://example.com/hook',
    capturedPerMinuteMax: 30,
  })
  await page.getByText('Nothing was sent yet').waitFor()
  await page.getByRole('button', { name: 'Send a test' }).click()
  await page.getByRole('table', { name: 'Deliveries' }).getByText('webhook.test').waitFor()
  expect(await page.getByText('whsec_').count()).toBe(0)
})

test('a failure can be looked into and sent again', async () => {
  await using opened = await stage.open('/o/acme/webhooks')
  const { page } = opened
  await page.getByRole('link', { name: 'https://hooks.example.com/sluice' }).click()
  await page.getByRole('button', { name: 'Details of msg_m2' }).click()
  await page.getByText('try later').waitFor()
  await page.getByText('"name": "calm-otter"').waitFor()
  expect(await barriers(page)).toEqual([])

  await page.getByRole('button', { name: 'Replay msg_m2' }).click()
  await page
    .getByRole('table', { name: 'Deliveries' })
    .getByText('Failed')
    .waitFor({ state: 'detached' })
})

test('an endpoint gets a new secret, is switched on, and is deleted with a question', async () => {
  await using opened = await stage.open('/o/acme/webhooks?endpoint=w2')
  const { page, world } = opened
  await page.getByText('It answered 410 Gone.').waitFor()
  await page.getByRole('button', { name: 'Switch on' }).click()
  await page.getByRole('button', { name: 'Switch off' }).waitFor()
  expect(world.data.webhookEndpoints[1]?.disabledReason).toBeNull()

  await page.getByRole('button', { name: 'New secret' }).click()
  await page.getByRole('button', { name: 'Make a new secret' }).click()
  const shown = page.getByRole('dialog', { name: 'The new secret' })
  await shown.getByText('whsec_').waitFor()
  await shown.getByRole('button', { name: 'I have copied it' }).click()

  await page.getByRole('button', { name: 'Delete', exact: true }).click()
  await page.getByRole('button', { name: 'Delete the endpoint' }).click()
  await page.getByRole('link', { name: 'https://old.example.com/' }).waitFor({ state: 'detached' })
  expect(world.data.webhookEndpoints.map(({ id }) => id)).toEqual(['w1'])
})

test('who may only look is offered nothing that would be refused', async () => {
  const world = createWorld()
  world.role = 'DEVELOPER'
  await using opened = await stage.open('/o/acme/webhooks?endpoint=w1', { world })
  const { page } = opened
  await page.getByText('tunnel.offline').waitFor()
  expect(await page.getByRole('button', { name: /Add|Send|Replay|Delete|New/ }).count()).toBe(0)
})

test('the partner API is explained with examples of this organization, which can be copied and tried', async () => {
  await using opened = await stage.open('/o/acme/partner-api')
  const { page, url } = opened
  await page.getByRole('heading', { name: 'Who am I?' }).waitFor()
  expect(await barriers(page)).toEqual([])
  const example = page.getByRole('region', { name: 'List tunnels' })
  await example.getByRole('tab', { name: 'curl' }).click()
  await example.getByText(`curl ${url}/public/graphql`).waitFor()
  await example.getByText('"organizationId":"o1"').waitFor()
  await example.getByRole('button', { name: 'Copy the curl' }).click()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(
    'Bearer $SLUICE_API_KEY',
  )
  const link = await page.getByRole('link', { name: 'Try it: List tunnels' }).getAttribute('href')
  expect(decodeURIComponent(link ?? '')).toContain('/public/graphiql#query ListTunnels')
})
