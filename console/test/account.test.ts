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

test('with the keyboard alone: the account menu leads to the security page', async () => {
  await using opened = await stage.open('/o/acme/tunnels')
  const { page, complaints } = opened
  await page.getByText('staging-api').first().waitFor()
  await page.getByRole('button', { name: 'Ada Lovelace' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('menuitem', { name: 'Security' }).focus()
  await page.keyboard.press('Enter')

  await page.locator('h1:focus', { hasText: 'Security' }).waitFor()
  await page.getByText('Not confirmed').waitFor()
  expect(complaints).toEqual([])
})

test('a change that guards the account asks for the password, and is then done by itself', async () => {
  await using opened = await stage.open('/o/acme/security')
  const { page, world, complaints } = opened
  await page.getByRole('button', { name: 'Change the address' }).click()
  await page.getByLabel('New email').fill('countess@example.com')
  await page.keyboard.press('Enter')

  const dialog = page.getByRole('dialog', { name: 'Show that it is still you' })
  await dialog.getByText('for the next ten minutes').waitFor()
  expect(await barriers(page)).toEqual([])
  await page.waitForSelector('input[name=password]:focus')
  await page.keyboard.type('wrong')
  await page.keyboard.press('Enter')
  await dialog.getByText('The password is wrong.').waitFor()
  await dialog.getByRole('textbox', { name: 'Your password' }).fill('correct horse battery')
  await page.keyboard.press('Enter')

  await page.getByText('A mail is on its way to countess@example.com.').waitFor()
  expect(world.counts.get('ChangeEmail')).toBe(2)
  expect(world.counts.get('Reauthenticate')).toBe(2)
  expect(complaints).toEqual([])
})

test('who closes the question changes nothing, and is told why', async () => {
  await using opened = await stage.open('/o/acme/security')
  const { page, world } = opened
  await page.getByRole('button', { name: 'Change the address' }).click()
  await page.getByLabel('New email').fill('countess@example.com')
  await page.keyboard.press('Enter')
  await page.waitForSelector('input[name=password]:focus')
  await page.keyboard.press('Escape')

  await page.getByRole('alert').getByText('Show that it is still you.').waitFor()
  expect(world.counts.get('ChangeEmail')).toBe(1)
})

test('the password is changed with the present one, and a weak one is called so while it is typed', async () => {
  await using opened = await stage.open('/o/acme/security')
  const { page, complaints } = opened
  await page.getByRole('button', { name: 'Change the password' }).click()
  await page.getByRole('textbox', { name: 'Present password' }).fill('correct horse battery')
  const next = page.getByRole('textbox', { name: 'New password' })
  await next.fill('password1234')
  await page.getByText(/guessed/i).waitFor()
  await next.fill('lagoon trumpet sixteen mosaic')
  await page.getByText('Very good').waitFor()
  expect(await barriers(page)).toEqual([])
  await page.keyboard.press('Enter')

  await page.getByText('Your password is changed').waitFor()
  expect(complaints).toEqual([])
})

test('a sign-in elsewhere is ended alone, then all others', async () => {
  await using opened = await stage.open('/o/acme/security')
  const { page, world } = opened
  await page.getByRole('button', { name: 'End the sign-in of Safari on iOS' }).click()
  await page.getByRole('button', { name: 'End it' }).click()
  await page.getByText('Safari on iOS').first().waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'End all others' }).click()
  await page.getByRole('button', { name: 'End them' }).click()
  await page.getByText('Chrome on Windows').waitFor({ state: 'detached' })

  expect(world.data.signIns.map(({ device }) => device)).toEqual(['Firefox on Linux'])
})

test('who forgot the password is answered the same for every address', async () => {
  const world = createWorld({ isSignedIn: false })
  await using opened = await stage.open('/sign-in', { world })
  const { page, complaints } = opened
  await page.getByRole('link', { name: 'Forgot your password?' }).click()
  // The page before has a field for the email, too.
  await page.getByRole('heading', { name: 'Set a new password' }).waitFor()
  await page.getByLabel('Email', { exact: false }).fill('nobody@example.com')
  expect(await barriers(page)).toEqual([])
  await page.keyboard.press('Enter')

  await page.getByText('If nobody@example.com has an account here').waitFor()
  expect(complaints).toEqual([])
})

test('the link of a mail sets a new password, and its token leaves the address bar', async () => {
  const world = createWorld({ isSignedIn: false })
  await using opened = await stage.open('/reset-password#good-token', { world })
  const { page, url, complaints } = opened
  await page.waitForSelector('input[name=password]:focus')
  await page.waitForURL(`${url}/reset-password`)
  await page.keyboard.type('lagoon trumpet sixteen mosaic')
  expect(await barriers(page)).toEqual([])
  await page.keyboard.press('Enter')

  await page.getByText('Sign in with the new one.').waitFor()
  expect(complaints).toEqual([])
})

test('a link that is good no more says what to do', async () => {
  const world = createWorld({ isSignedIn: false })
  await using opened = await stage.open('/confirm-email#old-token', { world })
  const { page } = opened
  await page.getByRole('button', { name: 'Confirm the address' }).click()

  await page.getByRole('alert').getByText('Ask for a new mail').waitFor()
  expect(await barriers(page)).toEqual([])
})

test('an address is confirmed by a press, never by looking at the page', async () => {
  await using opened = await stage.open('/confirm-email#good-token')
  const { page, world, complaints } = opened
  await page.getByRole('button', { name: 'Confirm the address' }).waitFor()
  expect(world.emailVerifiedAt).toBeNull()
  await page.getByRole('button', { name: 'Confirm the address' }).click()

  await page.getByText('ada@example.com is confirmed.').waitFor()
  expect(complaints).toEqual([])
})

test('staff read kept mails, whose links elsewhere stay text, and send failed ones again', async () => {
  await using opened = await stage.open('/mail')
  const { page, complaints } = opened
  await page.getByRole('button', { name: 'Read the mail to ada@example.com' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('<b>stays a text</b>').waitFor()
  expect(await dialog.getByRole('link').count()).toBe(0)
  expect(await barriers(page)).toEqual([])
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Send again the mail to full@example.com' }).click()

  await page.getByText('Waiting').waitFor()
  expect(complaints).toEqual([])
})

test('an authenticator app is set up with a proof, a QR code and a first code, then turned off', async () => {
  await using opened = await stage.open('/o/acme/security')
  const { page, world, complaints } = opened
  await page.getByRole('button', { name: 'Set it up' }).click()
  await page.getByRole('textbox', { name: 'Your password' }).fill('correct horse battery')
  await page.keyboard.press('Enter')
  await page.getByRole('img', { name: 'QR code' }).waitFor()
  expect(await barriers(page)).toEqual([])
  const code = page.getByRole('textbox', { name: 'Code' })
  await code.fill('000000')
  await page.keyboard.press('Enter')
  await page.getByText('The code is wrong.').waitFor()
  await code.fill('123456')
  await page.keyboard.press('Enter')

  await page.getByText('wxyz-2345-abcd-ef00').waitFor()
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await page.getByText('10 recovery codes are left.').waitFor()
  await page.getByRole('button', { name: 'Turn it off' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Turn it off' }).click()
  await page.getByRole('button', { name: 'Set it up' }).waitFor()
  expect(world.secondFactor).toBeNull()
  expect(complaints).toEqual([])
})

test('who has a second factor is asked for its code after the password', async () => {
  const world = createWorld({ isSignedIn: false })
  world.secondFactor = { confirmedAt: ago(60), recoveryCodesLeft: 10 }
  await using opened = await stage.open('/sign-in', { world })
  const { page, complaints } = opened
  await page.getByLabel('Email', { exact: false }).fill('ada@example.com')
  await page.getByRole('textbox', { name: 'Password' }).fill('correct horse battery')
  await page.keyboard.press('Enter')
  await page.waitForSelector('input[name=code]:focus')
  expect(await page.getByRole('alert').count()).toBe(0)
  expect(await barriers(page)).toEqual([])
  await page.keyboard.type('999999')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').getByText('The code is wrong.').waitFor()
  await page.getByRole('textbox', { name: 'Code' }).fill('123456')
  await page.keyboard.press('Enter')

  await page.getByRole('heading', { name: 'Tunnels', exact: true }).waitFor()
  expect(complaints).toEqual([])
})
