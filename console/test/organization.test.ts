import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { barriers, createStage } from './browser.ts'
import type { Stage } from './browser.ts'
import { createWorld } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage.close())

test('members are invited, asked again and revoked', async () => {
  await using opened = await stage.open('/o/acme/members')
  const { page, world, complaints } = opened
  const invitations = page.getByRole('table', { name: 'Invitations' })
  await invitations.getByText('edsger@example.com').waitFor()
  expect(await barriers(page)).toEqual([])

  await page.getByRole('button', { name: 'Invite a member' }).click()
  const dialog = page.getByRole('dialog', { name: 'Invite a member' })
  await dialog.getByLabel('Email').fill('alan@example.com')
  await dialog.getByRole('combobox', { name: 'Role' }).click()
  await page.getByRole('option', { name: 'Support' }).click()
  await dialog.getByRole('button', { name: 'Send the invitation' }).click()
  await invitations.getByText('alan@example.com').waitFor()
  await invitations.getByText('Support').waitFor()

  await page.getByRole('button', { name: 'Send again to edsger@example.com' }).click()
  await vi.waitFor(() => expect(world.counts.get('ResendInvitation')).toBe(1), 15_000)
  await page.getByRole('button', { name: 'Revoke the invitation to alan@example.com' }).click()
  await page
    .getByRole('dialog', { name: 'Revoke the invitation to alan@example.com?' })
    .getByRole('button', { name: 'Revoke the invitation' })
    .click()
  await invitations.getByText('alan@example.com').waitFor({ state: 'detached' })
  expect(complaints).toEqual([])
})

test('a member gets a custom role, and ownership asks for the password', async () => {
  await using opened = await stage.open('/o/acme/members')
  const { page, world } = opened
  const role = page.getByRole('combobox', { name: 'Role of Grace Hopper' })
  await role.click()
  await page.getByRole('option', { name: 'Support' }).click()
  await page.getByText('What the role names.').waitFor()

  await page.getByRole('button', { name: 'Make owner: Grace Hopper' }).click()
  await page.getByRole('button', { name: 'Give the organization away' }).click()
  const proof = page.getByRole('dialog', { name: 'Show that it is still you' })
  await proof.getByRole('textbox', { name: 'Your password' }).fill('correct horse battery')
  await page.keyboard.press('Enter')
  await page
    .getByRole('button', { name: 'Make owner: Grace Hopper' })
    .waitFor({ state: 'detached' })
  expect(world.counts.get('TransferOwnership')).toBe(2)
})

test('roles are shown as a table, made, and deleted with another in their place', async () => {
  await using opened = await stage.open('/o/acme/roles')
  const { page, world, complaints } = opened
  const table = page.getByRole('table', { name: 'What each role may do' })
  await table.getByText('members.manage').waitFor()
  expect(await barriers(page)).toEqual([])

  await page.getByRole('button', { name: 'New role' }).click()
  const dialog = page.getByRole('dialog', { name: 'New role' })
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Night watch')
  await dialog.getByLabel('Read captured bodies.').check()
  expect(await barriers(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Make the role' }).click()
  await table.getByText('Night watch').waitFor()
  expect(world.data.roles.at(-1)?.permissions).toEqual(['bodies.read'])

  await page.getByRole('button', { name: 'Delete the role Support' }).click()
  await page.getByRole('button', { name: 'Delete the role', exact: true }).click()
  await table.getByText('Support').waitFor({ state: 'detached' })
  expect(complaints).toEqual([])
})

test('who may not manage roles sees them, and is offered no change', async () => {
  const world = createWorld()
  world.role = 'VIEWER'
  await using opened = await stage.open('/o/acme/roles', { world })
  const { page, url } = opened
  await page.getByText('members.manage').waitFor()
  expect(await page.getByRole('button', { name: /role/i }).count()).toBe(0)
  await page.goto(`${url}/o/acme/members`)
  await page.getByText('grace@example.com').waitFor()
  expect(await page.getByRole('table', { name: 'Invitations' }).count()).toBe(0)
  expect(await page.getByRole('button', { name: /Invite|Remove|Make/ }).count()).toBe(0)
})

test('an organization is renamed, and deleted by whoever types its slug and their password', async () => {
  await using opened = await stage.open('/o/acme/settings')
  const { page, url, complaints } = opened
  await page.getByRole('textbox', { name: 'Name' }).fill('Initech')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').waitFor()
  expect(await barriers(page)).toEqual([])

  await page.getByRole('button', { name: 'Delete…' }).click()
  const confirm = page.getByRole('button', { name: 'Delete the organization' })
  expect(await confirm.isDisabled()).toBe(true)
  await page.getByLabel('Type acme to be sure').fill('acme')
  await confirm.click()
  const proof = page.getByRole('dialog', { name: 'Show that it is still you' })
  await proof.getByRole('textbox', { name: 'Your password' }).fill('correct horse battery')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${url}/o/globex/tunnels`)
  expect(complaints).toEqual([])
})

test('the link of an invitation joins who is signed in, and its token leaves the address', async () => {
  await using opened = await stage.open('/invitation#good-token-known')
  const { page, url, complaints } = opened
  await page.getByText('You are invited as Developer').waitFor()
  expect(new URL(page.url()).hash).toBe('')
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: 'Join the organization' }).click()
  await page.waitForURL(`${url}/o/acme/tunnels`)
  expect(complaints).toEqual([])
})

test('the link of an invitation signs up who has no account, and says why it is not good', async () => {
  const world = createWorld({ isSignedIn: false })
  await using opened = await stage.open('/invitation#good-token', { world })
  const { page, url } = opened
  await page.getByLabel('Name').fill('Alan Turing')
  expect(await page.getByLabel('Email').inputValue()).toBe('alan@example.com')
  await page.getByRole('textbox', { name: 'Password' }).fill('three unlikely words')
  await page.getByRole('button', { name: 'Sign up and join' }).click()
  await page.waitForURL(/\/start$/)

  const other = await page.context().newPage()
  await other.goto(`${url}/invitation#old`)
  await other.getByText('This invitation has run out.').waitFor()
})
