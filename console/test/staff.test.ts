import { afterAll, beforeAll, expect, test } from 'vitest'

import { barriers, createStage } from './browser.ts'
import type { Stage } from './browser.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage.close())

test('staff finds a user, suspends them with a reason, and lifts it again', async () => {
  await using opened = await stage.open('/admin/users')
  const { page, world, complaints } = opened
  await page.getByRole('searchbox', { name: 'Search by name, address or id' }).fill('grace')
  await page.getByText('ada@example.com').waitFor({ state: 'detached' })
  expect(await barriers(page)).toEqual([])
  await page.getByRole('link', { name: 'Grace Hopper' }).click()
  await page.getByRole('button', { name: 'Suspend …' }).click()
  const dialog = page.getByRole('dialog', { name: 'Suspend Grace Hopper?' })
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('Phishing.')
  expect(await barriers(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Suspend' }).click()

  await page.getByText('This account is suspended').waitFor()
  expect(world.staff.suspensions.get('u2')?.reason).toBe('Phishing.')
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Lift the suspension' }).click()
  await page.getByRole('button', { name: 'Suspend …' }).waitFor()
  expect(complaints).toEqual([])
})

test('what staff found stays found on the way back, and a user shows where they come from and what was done to them', async () => {
  await using opened = await stage.open('/admin/users?search=grace')
  const { page, complaints } = opened
  await page.getByRole('link', { name: 'Grace Hopper' }).click()
  await page.getByRole('table', { name: 'Sign-ins of this user' }).getByText('Berlin').waitFor()
  await page
    .getByRole('table', { name: 'Impersonations of this user' })
    .getByText('HELP-7')
    .waitFor()
  await page.getByRole('table', { name: 'What was done to this user' }).waitFor()
  await page.getByText('password, a passkey, github').waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Mail a link for a new password' }).click()
  await page.getByRole('button', { name: 'The mail is on its way' }).waitFor()

  await page.goBack()
  const field = page.getByRole('searchbox', { name: 'Search by name, address or id' })
  expect(await field.inputValue()).toBe('grace')
  expect(complaints).toEqual([])
})

test('staff searches, verifies and exports the audit of the platform', async () => {
  await using opened = await stage.open('/admin/audit')
  const { page, complaints } = opened
  await page.getByRole('table', { name: 'Audit log' }).waitFor()
  expect(await barriers(page)).toEqual([])
  await page.route(/\/v1\/admin\/platform-audit\/export/, (route) =>
    route.fulfill({ contentType: 'text/csv', body: 'sequence\r\n' }),
  )
  await page.getByRole('button', { name: 'Export' }).click()
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'For spreadsheets (CSV)' }).click(),
  ])
  expect(file.suggestedFilename()).toMatch(/^platform-audit-.*\.csv$/)

  await page.getByRole('tab', { name: 'Proof' }).click()
  await page.getByRole('button', { name: 'Verify' }).click()
  await page.getByText('entries are as they were sealed').waitFor()
  expect(await barriers(page)).toEqual([])
  expect(complaints).toEqual([])
})

test('members of a suspended organization see why on every page', async () => {
  await using opened = await stage.open('/admin/organizations')
  const { page, world, url, complaints } = opened
  await page.getByRole('link', { name: 'Acme' }).click()
  await page.getByText('Free').waitFor()
  await page.getByRole('button', { name: 'Suspend …' }).click()
  await page.getByRole('textbox', { name: 'Reason' }).fill('Unpaid and unreachable.')
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click()
  await page.getByText('This organization is suspended').waitFor()
  expect(world.staff.suspensions.has('o1')).toBe(true)

  await page.goto(`${url}/o/acme/members`)
  await page.getByText('Unpaid and unreachable.').waitFor()
  expect(await barriers(page)).toEqual([])
  expect(complaints).toEqual([])
})

test('an address is taken out of service by its name, and put back', async () => {
  await using opened = await stage.open('/admin/hosts')
  const { page, world, complaints } = opened
  await page.getByText('Phishing, reported by a bank.').waitFor()
  await page.getByRole('button', { name: 'Suspend an address …' }).click()
  await page.getByRole('textbox', { name: 'Address' }).fill('pay.tunnel.localhost')
  await page.getByRole('textbox', { name: 'Reason' }).fill('Phishing.')
  expect(await barriers(page)).toEqual([])
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click()

  await page.getByRole('button', { name: 'Lift the suspension of pay.tunnel.localhost' }).click()
  await page.getByText('pay.tunnel.localhost').waitFor({ state: 'detached' })
  expect(world.staff.hosts).toHaveLength(1)
  expect(await barriers(page)).toEqual([])
  expect(complaints).toEqual([])
})

test('staff acts as a customer behind a banner that stays, and comes back by it', async () => {
  await using opened = await stage.open('/admin/users/u2')
  const { page, world, url, complaints } = opened
  await page.getByRole('button', { name: 'Act as this user …' }).click()
  await page.getByRole('textbox', { name: 'Reason' }).fill('They cannot see their tunnel.')
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Act as Grace Hopper' }).click()

  const banner = page.getByRole('region', { name: 'Impersonation' })
  await banner.getByText('You act as Grace Hopper (grace@example.com)').waitFor()
  await banner.getByText('To look only.').waitFor()
  await page.goto(`${url}/o/acme/members`)
  await banner.waitFor()
  expect(await barriers(page)).toEqual([])
  expect([...world.staff.impersonated.keys()]).toEqual(['u2'])
  await banner.getByRole('button', { name: 'End' }).click()

  await page.getByRole('button', { name: 'Act as this user …' }).waitFor()
  expect(await page.getByRole('region', { name: 'Impersonation' }).count()).toBe(0)
  expect(world.staff.impersonated.size).toBe(0)
  expect(complaints).toEqual([])
})

test('anomalies of an organization and of the server are read by severity', async () => {
  await using opened = await stage.open('/o/acme/anomalies')
  const { page, url, complaints } = opened
  await page.getByText('Impossible travel').waitFor()
  await page.getByRole('combobox', { name: 'Severity' }).selectOption('MEDIUM')
  await page.getByText('Many wrong passwords or codes').waitFor()
  await page.getByText('Impossible travel').waitFor({ state: 'detached' })
  expect(await barriers(page)).toEqual([])

  await page.goto(`${url}/admin/anomalies`)
  await page.getByText('Impossible travel').waitFor()
  expect(await barriers(page)).toEqual([])
  await page.goto(`${url}/admin/blocks`)
  await page.getByRole('button', { name: 'Lift the block of 203.0.113.0/24' }).click()
  await page.getByText('None is blocked').waitFor()
  expect(await barriers(page)).toEqual([])
  expect(complaints).toEqual([])
})

test('staff sees which keys were rotated, and has others made with what it does said first', async () => {
  await using opened = await stage.open('/admin/keys')
  const { page, complaints } = opened
  const rotations = page.getByRole('table', { name: 'Rotations of keys' })
  await rotations.getByText('key-2').waitFor()
  expect(await barriers(page)).toEqual([])

  await page.getByRole('button', { name: 'Rotate the keys of gateways …' }).click()
  await page.getByText('In two minutes the old ones are refused').waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Rotate the keys of gateways', exact: true }).click()
  await rotations.getByText('of each').waitFor()
  await page.getByRole('button', { name: 'Rotate the signing keys …' }).click()
  await page.getByRole('button', { name: 'Rotate the signing keys', exact: true }).click()
  await rotations.getByText('key-3').waitFor()

  expect(complaints).toEqual([])
})
