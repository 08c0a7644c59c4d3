import { text } from 'node:stream/consumers'

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { barriers, createStage } from './browser.ts'
import type { Stage } from './browser.ts'
import { ago } from './data.ts'
import { createWorld } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage.close())

/** A device with passkeys, whose owner always says yes. Passkeys are for names, so the page moves to `localhost`. */
async function withAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await page.goto(page.url().replace('127.0.0.1', 'localhost'))
}

test('a passkey is added after a proof, signs in, proves, and is removed', async () => {
  await using opened = await stage.open('/o/acme/security')
  const { page, world, complaints } = opened
  await withAuthenticator(page)
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Laptop')
  await page.keyboard.press('Enter')
  await page.getByRole('textbox', { name: 'Your password' }).fill('correct horse battery')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Remove Laptop' }).waitFor()
  expect(await barriers(page)).toEqual([])

  await page.getByRole('button', { name: 'Rename Laptop' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Old laptop')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Remove Old laptop' }).waitFor()

  world.isProved = false
  await page.getByRole('button', { name: 'Change the address' }).click()
  await page.getByRole('textbox', { name: 'New email' }).fill('countess@example.com')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Continue with a passkey' }).click()
  await page.getByText('A mail is on its way to countess@example.com.').waitFor()

  await page.getByRole('button', { name: 'Ada Lovelace' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Continue with a passkey' }).click()
  await page.getByRole('button', { name: 'Remove Old laptop' }).click()
  await page.getByRole('button', { name: 'Remove it' }).click()
  await page.getByText('A passkey stands for').waitFor()

  await expect.poll(() => world.ways.passkeys, { timeout: 15_000 }).toEqual([])
  expect(complaints).toEqual([])
})

test('a passkey that is not known here says so', async () => {
  const world = createWorld({ isSignedIn: false })
  await using opened = await stage.open('/sign-in', { world })
  const { page } = opened
  await withAuthenticator(page)
  await page.getByRole('button', { name: 'Continue with a passkey' }).click()

  await page.getByRole('alert').getByText('No passkey was used.').waitFor()
  expect(await barriers(page)).toEqual([])
})

test('who comes back from Google enters the code of their second factor, and goes on where they were', async () => {
  const world = createWorld({ isSignedIn: false })
  world.ways.providers = ['GOOGLE', 'GITHUB']
  await using opened = await stage.open('/o/acme/members', { world })
  const { page, url, complaints } = opened
  await page.getByRole('button', { name: 'Continue with GitHub' }).waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Continue with Google' }).click()
  // The ticket leaves the address bar.
  await page.waitForURL(`${url}/sign-in/code?to=%2Fo%2Facme%2Fmembers`)
  await page.getByRole('textbox', { name: 'Code' }).fill('123456')
  expect(await barriers(page)).toEqual([])
  await page.keyboard.press('Enter')

  await page.waitForURL(`${url}/o/acme/members`)
  expect(complaints).toEqual([])
})

test('a refusal on the way back is told in our own words, and nothing else of the address is', async () => {
  const world = createWorld({ isSignedIn: false })
  await using opened = await stage.open('/sign-in?problem=SLUICE_SOCIAL_EMAIL_KNOWN', { world })
  const { page, url } = opened
  await page.getByRole('alert').getByText('has an account here already').waitFor()

  await page.goto(`${url}/sign-in?problem=Call+0800+1234`)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(await page.getByRole('alert').count()).toBe(0)
})

test('other accounts are linked after a proof and removed, and a refusal is told', async () => {
  const world = createWorld()
  world.ways.providers = ['GOOGLE']
  world.ways.links = [
    { id: 'l1', provider: 'GITHUB', email: 'ada@hub.example', linkedAt: ago(60), lastUsedAt: null },
  ]
  await using opened = await stage.open('/o/acme/security', { world })
  const { page, complaints } = opened
  await page.getByRole('button', { name: 'Link Google' }).click()
  await page.getByRole('textbox', { name: 'Your password' }).fill('correct horse battery')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').getByText('The other account is linked already.').waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Remove GitHub, ada@hub.example' }).click()
  await page.getByRole('button', { name: 'Remove it' }).click()

  await expect.poll(() => world.ways.links, { timeout: 15_000 }).toEqual([])
  expect(complaints).toEqual([])
})

test('everything that is kept is downloaded after a proof, and the account is deleted by typing its email', async () => {
  await using opened = await stage.open('/o/acme/security')
  const { page, world, url, complaints } = opened
  await page.route('**/v1/account/export', (route) =>
    world.isProved
      ? route.fulfill({ contentType: 'application/json', body: '{"identity":{}}' })
      : route.fulfill({
          status: 401,
          contentType: 'application/problem+json',
          body: JSON.stringify({ code: 'SLUICE_REAUTHENTICATION_NEEDED', title: 'Prove it.' }),
        }),
  )
  await page.getByRole('button', { name: 'Download your data' }).click()
  await page.getByRole('textbox', { name: 'Your password' }).fill('correct horse battery')
  const [file] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
  expect(file.suggestedFilename()).toMatch(/^sluice-account-\d{4}-\d\d-\d\d\.json$/)
  expect(await text(await file.createReadStream())).toBe('{"identity":{}}')

  await page.getByRole('button', { name: 'Delete your account' }).click()
  const dialog = page.getByRole('dialog', { name: 'Delete your account?' })
  await dialog.getByRole('textbox', { name: 'Your email' }).fill('somebody@example.com')
  await page.keyboard.press('Enter')
  await dialog.getByRole('alert').getByText('without an owner: Acme').waitFor()
  expect(await barriers(page)).toEqual([])
  await dialog.getByRole('textbox', { name: 'Your email' }).fill('ada@example.com')
  await page.keyboard.press('Enter')

  await page.waitForURL((to) => to.pathname === '/sign-in' && to.origin === url)
  expect(world.isSignedIn).toBe(false)
  // What the browser itself says of the refusal before the proof.
  expect(complaints).toEqual([expect.stringContaining('401')])
})

test('who has no password proves who they are through the other account, and can set one', async () => {
  const world = createWorld()
  world.ways.hasPassword = false
  world.ways.links = [
    {
      id: 'l1',
      provider: 'GITHUB',
      email: 'ada@hub.example',
      linkedAt: ago(60),
      lastUsedAt: ago(9),
    },
  ]
  await using opened = await stage.open('/o/acme/security', { world })
  const { page, complaints } = opened
  await page.getByRole('button', { name: 'Set a password' }).click()
  await page.getByText('Its link is good for 30 minutes.').waitFor()
  await page.getByRole('button', { name: 'Change the address' }).click()
  await page.getByRole('textbox', { name: 'New email' }).fill('countess@example.com')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Show that it is still you' })
  await dialog.getByRole('button', { name: 'Continue with GitHub' }).waitFor()
  expect(await dialog.getByRole('textbox').count()).toBe(0)
  expect(await barriers(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Continue with GitHub' }).click()

  await expect.poll(() => world.isProved, { timeout: 15_000 }).toBe(true)
  expect(complaints).toEqual([])
})
