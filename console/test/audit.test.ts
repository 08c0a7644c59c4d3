import { afterAll, beforeAll, expect, test } from 'vitest'

import { barriers, createStage } from './browser.ts'
import type { Stage } from './browser.ts'
import { createWorld } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage.close())

test('the audit is searched, and the address keeps the search', async () => {
  await using opened = await stage.open('/o/acme/audit')
  const { page, complaints } = opened
  await page.getByText('authtoken.created').waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('textbox', { name: 'Words' }).fill('role DEVELOPER')

  await page.waitForURL(/text=role/)
  await page.getByText('authtoken.created').waitFor({ state: 'detached' })
  await page.getByText('member.added').waitFor()
  await page.getByRole('textbox', { name: 'Who' }).fill('Nobody')
  await page.getByText('Nothing was recorded that fits').waitFor()
  await page.getByRole('button', { name: 'Show all entries' }).click()
  await page.getByText('authtoken.created').waitFor()
  expect(complaints).toEqual([])
})

test('verifying goes through the whole chain, and names the first bad row', async () => {
  const world = createWorld()
  await using opened = await stage.open('/o/acme/audit?view=proof', { world })
  const { page, complaints } = opened
  await page.getByRole('button', { name: 'Verify' }).click()

  await page.getByText('All 70000 entries are as they were sealed').waitFor()
  await page.getByText('They agree with the head of entry 69990').waitFor()
  expect(world.counts.get('AuditIntegrity')).toBe(2)
  world.audit.firstBad = { fault: 'CHANGED', sequence: 60_123, entryId: 'e60123' }
  await page.getByRole('button', { name: 'Verify' }).click()

  await page.getByText('Entry 60123 is not what was sealed here.').waitFor()
  await page.getByText('60122 entries before it are as they were sealed.').waitFor()
  expect(await barriers(page)).toEqual([])
  expect(complaints).toEqual([])
})

test('signed heads and the keys that verify them are downloaded', async () => {
  await using opened = await stage.open('/o/acme/audit?view=proof')
  const { page } = opened
  const [head] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: /Download the head of/ }).click(),
  ])
  const [keys] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download the public keys' }).click(),
  ])
  expect(head.suggestedFilename()).toMatch(/^\d{4}-\d\d-\d\d\.jws$/)
  expect(keys.suggestedFilename()).toBe('jwks.json')
})

test('an export is asked for with the sign-in and the filter, and a failure says why', async () => {
  await using opened = await stage.open('/o/acme/audit?actor=Ada&to=2026-11-21')
  const { page } = opened
  const asked = page.waitForRequest(/\/v1\/admin\/audit\/export/)
  let status = 200
  await page.route(/\/v1\/admin\/audit\/export/, (route) =>
    status === 200
      ? route.fulfill({ status, contentType: 'text/csv', body: 'sequence\r\n' })
      : route.fulfill({
          status,
          contentType: 'application/problem+json',
          body: JSON.stringify({ code: 'SLUICE_FORBIDDEN', title: 'You may not do this.' }),
        }),
  )
  const choose = async () => {
    await page.getByRole('button', { name: 'Export' }).click()
    await page.getByRole('menuitem', { name: 'For spreadsheets (CSV)' }).click()
  }
  const arriving = page.waitForEvent('download')
  await choose()

  expect((await arriving).suggestedFilename()).toMatch(/^audit-.*\.csv$/)
  const request = await asked
  const query = new URL(request.url()).searchParams
  expect(Object.fromEntries(query)).toMatchObject({
    organizationId: 'o1',
    format: 'csv',
    actor: 'Ada',
    to: '2026-11-22T00:00:00.000Z',
  })
  expect(request.headers()['authorization']).toBe('Bearer fixture')
  status = 403
  await choose()
  await page.getByRole('alert').getByText('You may not do this.').waitFor()
})

test('a stream is added with its secret shown once, switched off and deleted', async () => {
  const world = createWorld()
  await using opened = await stage.open('/o/acme/audit', { world })
  const { page, complaints } = opened
  await page.getByRole('tab', { name: 'Streams' }).click()
  await page.getByText('it answered 503').waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Add a stream' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name' }).fill('archive')
  await dialog.getByRole('textbox', { name: 'URL' }).fill('https://hooks.example.com/audit')
  await page.keyboard.press('Enter')
  await dialog.getByText('whsec_bm90IGEgc2VjcmV0').waitFor()
  expect(await barriers(page)).toEqual([])
  await dialog.getByRole('button', { name: 'I have copied it' }).click()

  await page.getByRole('button', { name: 'Switch off archive' }).click()
  await page.getByRole('button', { name: 'Switch on archive' }).waitFor()
  await page.getByRole('button', { name: 'Delete siem' }).click()
  await page.getByRole('button', { name: 'Delete the stream' }).click()
  await page.getByText('https://siem.example.com/in').waitFor({ state: 'detached' })
  expect(world.audit.streams.map(({ name, state }) => [name, state])).toEqual([['archive', 'OFF']])
  expect(complaints).toEqual([])
})
