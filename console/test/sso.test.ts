import { afterAll, beforeAll, expect, test } from 'vitest'

import { barriers, createStage } from './browser.ts'
import type { Stage } from './browser.ts'
import { createWorld } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage.close())

test('an admin sets single sign-on up, step by step', async () => {
  await using opened = await stage.open('/o/acme/sso')
  const { page, complaints } = opened

  await page.getByLabel('Add a domain').fill('acme.example')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  await page.getByText('_sluice-challenge.acme.example').waitFor()
  await page.getByRole('button', { name: 'Verify acme.example' }).click()
  await page.getByText('Not proven yet: there is no TXT record').waitFor()
  await page.getByRole('button', { name: 'Verify acme.example' }).click()
  await page.getByText('Verified').waitFor()

  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText('https://console.example.com/auth/sso/callback/c1').waitFor()
  await page.getByLabel('Issuer').fill('https://wrong.example.com')
  await page.getByLabel('Client id').fill('sluice')
  await page.getByRole('textbox', { name: 'Client secret' }).fill('secret')
  await page.getByRole('button', { name: 'Check and save' }).click()
  await page.getByText('This issuer cannot be used').waitFor()
  await page.getByLabel('Issuer').fill('https://login.example.com')
  await page.getByRole('button', { name: 'Check and save' }).click()

  await page.getByRole('radio', { name: 'Everybody' }).and(page.locator(':disabled')).waitFor()
  await page.getByRole('button', { name: 'Test the connection' }).click()
  await page.getByText('Passed').waitFor()
  await page.getByText('developers, everybody').waitFor()
  await page.getByText('the role of newcomers: no rule fits').waitFor()
  expect(await barriers(page)).toEqual([])

  await page.getByRole('combobox', { name: 'Attribute that decides the role' }).fill('groups')
  await page.getByRole('button', { name: 'Add a rule' }).click()
  await page.getByLabel('Value of rule 1').fill('developers')
  await page.getByRole('button', { name: 'Save the roles' }).click()
  await page.getByText('Saved.').waitFor()
  await page.getByText('by the rule for “developers”').waitFor()

  await page.getByRole('radio', { name: 'Everybody' }).check()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('No owner could enter without the identity provider.').waitFor()
  await page.getByRole('radio', { name: 'Whoever likes' }).check()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('/auth/sso/start?organization=acme').waitFor()
  expect(await barriers(page)).toEqual([])
  expect(complaints).toEqual([])
})

test('SAML is set up with the address of its metadata, and removed again', async () => {
  await using opened = await stage.open('/o/acme/sso')
  const { page, complaints } = opened
  await page.getByRole('radio', { name: 'SAML 2.0' }).check()
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText('https://console.example.com/auth/saml/metadata/c1').waitFor()
  await page.getByLabel('Address of its metadata').fill('https://idp.example.com/metadata')
  await page.getByRole('button', { name: 'Check and save' }).click()
  await page.getByText('https://idp.example.com/sso').waitFor()
  await page.getByText('Entra ID', { exact: true }).click()
  await page.getByText('App Federation Metadata Url').waitFor()
  expect(await barriers(page)).toEqual([])

  await page.getByRole('button', { name: 'Test the connection' }).click()
  await page.getByText('is not verified above').waitFor()
  await page.getByRole('button', { name: 'Make a new key' }).click()
  await page.getByText('then remove the old one').waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Remove the key 1A:1A' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove the key' }).click()
  await page.getByRole('button', { name: 'Make a new key' }).waitFor()

  await page.getByRole('button', { name: 'Remove single sign-on' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove single sign-on' }).click()
  await page.getByRole('button', { name: 'Continue' }).waitFor()
  expect(complaints).toEqual([])
})

test('people find their identity provider by their address, and are told when there is none', async () => {
  await using opened = await stage.open('/sign-in', { world: createWorld({ isSignedIn: false }) })
  const { page, complaints } = opened
  await page.getByRole('link', { name: 'Use single sign-on' }).click()
  const wanted = page.getByLabel('Work email, or organization')
  await wanted.fill('ada@nowhere.example')
  await page.keyboard.press('Enter')
  await page.getByText('There is no single sign-on here.').waitFor()
  expect(await barriers(page)).toEqual([])
  await wanted.fill('Acme')
  await page.keyboard.press('Enter')

  // In place of the provider: it sends the browser back with a refusal.
  await page.getByText('Your identity provider did not let you in.').waitFor()
  expect(complaints).toEqual([])
})

test('an organization that asks for single sign-on first says so, and leads there', async () => {
  const world = createWorld()
  world.sso.closed.push({ id: 'o3', name: 'Initech', slug: 'initech' })
  await using opened = await stage.open('/o/acme/tunnels', { world })
  const { page, complaints } = opened
  await page.getByRole('button', { name: 'Acme' }).click()
  await page.getByRole('menuitem', { name: 'Initech' }).click()
  await page.getByRole('heading', { name: 'Initech' }).waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Continue with single sign-on' }).click()

  await page.waitForURL('**/o/initech/tunnels?joined=yes')
  expect(complaints).toEqual([])
})
