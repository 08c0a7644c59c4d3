import { randomBytes } from 'node:crypto'

import { expect, test } from 'vitest'

import { Sealer } from './sealer.ts'

const owner = 'certificate|acme|app.example.com'
const keyOf = (id: string) => ({ id, key: randomBytes(32) })

test('what is sealed opens for its owner and shows nothing of itself', () => {
  const sealer = new Sealer([keyOf('a')])

  const sealed = sealer.seal('a private key', owner)

  expect(Buffer.from(sealed.sealed, 'base64').toString('latin1')).not.toContain('private')
  expect(sealer.open(sealed, owner)).toBe('a private key')
  expect(sealer.seal('a private key', owner).sealed).not.toBe(sealed.sealed)
})

test.for([
  ['organization', 'certificate|globex|app.example.com'],
  ['domain', 'certificate|acme|other.example.com'],
] as const)('moved to another %s it does not open', ([, other]) => {
  const sealer = new Sealer([keyOf('a')])
  const sealed = sealer.seal('a private key', owner)

  expect(() => sealer.open(sealed, other)).toThrow(/authenticate/)
})

test('changed by one bit, or cut, it does not open', () => {
  const sealer = new Sealer([keyOf('a')])
  const { sealed, sealingKeyId } = sealer.seal('a private key', owner)
  const bytes = Buffer.from(sealed, 'base64')

  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    const again = { sealingKeyId, sealed: changed.toString('base64') }
    expect(() => sealer.open(again, owner)).toThrow(/authenticate/)
  }
  const cut = bytes.subarray(0, 20).toString('base64')
  expect(() => sealer.open({ sealingKeyId, sealed: cut }, owner)).toThrow(/tag/)
})

test('a new key seals, and the old one still opens', () => {
  const [old, next] = [keyOf('old'), keyOf('next')]
  const sealed = new Sealer([old]).seal('a private key', owner)
  const both = new Sealer([next, old])

  expect(both.open(sealed, owner)).toBe('a private key')
  expect(both.seal('x', owner).sealingKeyId).toBe('next')
  expect(() => new Sealer([next]).open(sealed, owner)).toThrow('no sealing key old')
})
