import { afterAll, beforeAll, expect, test } from 'vitest'

import { barriers, createStage, type Stage } from './browser.ts'
import { createWorld } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage.close())

test('an API key is made with an end and an address, shown once, and rotated with an overlap', async () => {
  const world = createWorld()
  await using opened = await stage.open('/o/acme/api-keys', { world })
  const { page, complaints } = opened
  const secret = page.getByText('slk_NEW0aZ8Zr2Vn6cXw3LkTy7Hd9Mf1Gs5Pj4Ae0uQiWo', { exact: true })

  await page.getByRole('button', { name: 'Create an API key' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('dashboard')
  await page.getByRole('checkbox', { name: 'See tunnels and follow their status.' }).check()
  await page.getByRole('combobox', { name: 'Good for' }).click()
  await page.getByRole('option', { name: '30 days' }).click()
  await page.getByLabel('Only from these addresses').fill('192.0.2.0/24\n2001:db8::1')
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  await secret.waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByRole('cell', { name: 'dashboard', exact: true }).waitFor()

  expect(world.data.apiKeys[0]).toMatchObject({
    permissions: ['tunnels.read'],
    allowedIps: ['192.0.2.0/24', '2001:db8::1'],
    expiresAt: expect.any(String),
  })
  expect(await secret.count()).toBe(0)
  await page.getByRole('button', { name: 'Rotate dashboard' }).click()
  await page.getByRole('button', { name: 'Rotate', exact: true }).click()
  await secret.waitFor()
  expect(complaints).toEqual([])
})

test('the end and the addresses of an authtoken are changed, from what they are now', async () => {
  const world = createWorld()
  await using opened = await stage.open('/o/acme/authtokens', { world })
  const { page } = opened
  const addresses = page.getByLabel('Only from these addresses')

  await page.getByRole('button', { name: 'Change laptop' }).click()
  expect(await addresses.inputValue()).toBe('198.51.100.0/24')
  expect(await barriers(page)).toEqual([])
  await addresses.fill('everywhere')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').waitFor()
  await addresses.fill('198.51.100.7\n2001:db8::/32')
  await page.getByRole('combobox', { name: 'Good for, from now on' }).click()
  await page.getByRole('option', { name: 'Until it is revoked' }).click()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByText('198.51.100.7').waitFor()

  const changed = { expiresAt: null, allowedIps: ['198.51.100.7', '2001:db8::/32'] }
  expect(world.data.authtokens[0]).toMatchObject(changed)
})

test('a service account is made, disabled and deleted, each with what it does to others said first', async () => {
  const world = createWorld()
  await using opened = await stage.open('/o/acme/service-accounts', { world })
  const { page } = opened

  await page.getByRole('button', { name: 'Create a service account' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('deploys')
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  await page.getByRole('button', { name: 'Disable deploys' }).click()
  await page.getByRole('button', { name: 'Enable deploys' }).waitFor()
  await page.getByRole('button', { name: 'Delete deploys' }).click()
  await page.getByText('are revoked within seconds').waitFor()
  await page.getByRole('button', { name: 'Delete the service account' }).click()
  await page.getByRole('cell', { name: 'deploys', exact: true }).waitFor({ state: 'detached' })

  expect(world.data.serviceAccounts.map(({ name }) => name)).toEqual(['nightly report'])
})
