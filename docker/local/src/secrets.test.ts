import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { openSecrets } from './secrets.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'sluice-secrets-'))

test('secrets are made once, with two signing keys, and only their owner can read them', async () => {
  const data = folder()

  const first = await openSecrets(data)
  const second = await openSecrets(data)

  expect(second).toEqual(first)
  expect(first.signingJwks.keys).toHaveLength(2)
  expect(statSync(join(data, 'secrets.json')).mode & 0o777).toBe(0o600)
})

test('an installation from before is given what it lacks, and keeps what it has', async () => {
  const data = folder()
  const all = await openSecrets(data)
  const { certificateKey: _none, secondFactorKey: _neither, auditJwks: _nor, ...before } = all
  writeFileSync(join(data, 'secrets.json'), JSON.stringify(before))

  const completed = await openSecrets(data)

  expect(completed).toMatchObject(before)
  expect(Buffer.from(completed.certificateKey, 'base64')).toHaveLength(32)
  expect(Buffer.from(completed.secondFactorKey, 'base64')).toHaveLength(32)
  expect(completed.auditJwks.keys).toHaveLength(1)
  expect(await openSecrets(data)).toEqual(completed)
  expect(statSync(join(data, 'secrets.json')).mode & 0o777).toBe(0o600)
})

test('damaged secrets are reported without a word of their content, and kept', async () => {
  const data = folder()
  writeFileSync(join(data, 'secrets.json'), '{"relayKey":"hunter2"')

  await expect(openSecrets(data)).rejects.toThrow(/damaged/)
  await expect(openSecrets(data)).rejects.not.toThrow(/hunter2/)
  expect(readFileSync(join(data, 'secrets.json'), 'utf8')).toContain('hunter2')
})
