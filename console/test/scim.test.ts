import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { barriers, createStage, type Stage } from './browser.ts'
import { createWorld } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage.close())

test('a SCIM token is made, shown once, rotated with an overlap and revoked; a group gets a role', async () => {
  const world = createWorld()
  await using opened = await stage.open('/o/acme/scim', { world })
  const { page, complaints } = opened
  const secret = page.getByText('slc_NEW0aZ8Zr2Vn6cXw3LkTy7Hd9Mf1Gs5Pj4Ae0u', { exact: true })

  await page.getByText('http://localhost:4000/scim/v2', { exact: true }).waitFor()
  await page.getByText('there is no attribute login').waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Create a token' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Entra ID')
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  await secret.waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByRole('cell', { name: 'Entra ID', exact: true }).waitFor()
  expect(await secret.count()).toBe(0)

  await page.getByRole('button', { name: 'Rotate Okta' }).click()
  await page.getByRole('button', { name: 'Rotate', exact: true }).click()
  await secret.waitFor()
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByText(/^Ends/).waitFor()

  await page.getByRole('button', { name: 'Revoke Entra ID' }).click()
  await page.getByRole('button', { name: 'Revoke the token' }).click()
  await page.getByText('Revoked', { exact: true }).waitFor()
  expect(world.scim.tokens.find(({ name }) => name === 'Entra ID')?.revokedAt).not.toBeNull()

  await page.getByRole('combobox', { name: 'Role of Finance' }).click()
  await page.getByRole('option', { name: 'Billing' }).click()
  await vi.waitFor(() => expect(world.scim.groups[1]?.role).toBe('BILLING'), { timeout: 15_000 })
  expect(complaints).toEqual([])
})
