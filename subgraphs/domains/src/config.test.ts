import { generatePrivateJwks, publicJwksOf } from '@sluice/kit/signing-keys'
import { expect, test } from 'vitest'

import { config } from './config.ts'

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')
const keys = await generatePrivateJwks(1)
const read = (certificateKeys?: string) =>
  config({
    DATABASE_URL: 'postgresql://127.0.0.1/sluice',
    REDIS_URL: 'redis://127.0.0.1',
    INTERNAL_PUBLIC_JWKS: JSON.stringify(publicJwksOf(keys)),
    CNAME_TARGET: 'edge.example.net',
    OWN_APEXES: 'example.net',
    CERTIFICATE_KEYS: certificateKeys,
  }).sealingKeys

test('sealing keys are read in their order, and are not needed', () => {
  expect(read(`2026-02:${key(2)},2026-01:${key(1)}`)?.map(({ id }) => id)).toEqual([
    '2026-02',
    '2026-01',
  ])
  expect(read()).toBeUndefined()
})

test.for([
  ['without an id', key(1)],
  ['of a wrong length', `a:${Buffer.alloc(16).toString('base64')}`],
  ['named twice', `a:${key(1)},a:${key(2)}`],
  ['without bytes', 'a:'],
])('a sealing key %s is refused, and not shown', ([, text]) => {
  expect(() => read(text)).toThrow(/CERTIFICATE_KEYS/)
  expect(() => read(text)).not.toThrow(key(1))
})
