import { ForgeryBatch, forgeriesInBatchMax, redisKeys } from '@sluice/schema/redis'
import {
  SignJWT,
  UnsecuredJWT,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  jwtVerify,
} from 'jose'
import { expect, inject, onTestFinished, test } from 'vitest'

import { isForgery, openForgeryReports } from './forgeries.ts'
import { silentLog } from './log.ts'
import { openRedis, redisReady } from './redis.ts'
import { openTestRedis } from './testing.ts'

async function openReports() {
  const { url } = await openTestRedis(inject('redisUrl'))
  const redis = openRedis(url, silentLog)
  onTestFinished(() => redis.disconnect())
  await redisReady(redis)
  const reports = openForgeryReports({ redis, part: 'relay eu-1', log: silentLog })
  const told = async () => {
    await reports.close()
    const entries = await redis.xrange(redisKeys.forgeries, '-', '+')
    return entries.map(([, fields]) => ForgeryBatch.parse(JSON.parse(fields[1] ?? '')))
  }
  return { redis, reports, told }
}

test('a flood from one network is one line with a count', async () => {
  const { reports, told } = await openReports()
  for (let at = 0; at < 5_000; at += 1) reports.note('agent token', `192.0.2.${at % 200}`)
  reports.note('peer connection', '192.0.2.1')

  expect(await told()).toEqual([
    {
      part: 'relay eu-1',
      seen: [
        { forged: 'agent token', ip: '192.0.2.199', count: 5_000 },
        { forged: 'peer connection', ip: '192.0.2.1', count: 1 },
      ],
    },
  ])
})

test('an attacker with many networks fills nothing', async () => {
  const { reports, told } = await openReports()
  for (let at = 0; at < 2_000; at += 1) {
    reports.note('agent token', `10.${at >> 8}.${at & 255}.1`)
  }

  const batches = await told()

  expect(batches).toHaveLength(1)
  expect(batches[0]?.seen).toHaveLength(forgeriesInBatchMax)
})

test('without Redis, or while it is away, nothing is told and nothing fails', async () => {
  const without = openForgeryReports({ redis: undefined, part: 'relay', log: silentLog })
  without.note('agent token', '192.0.2.1')
  await without.close()

  const { redis, reports } = await openReports()
  redis.disconnect()
  reports.note('agent token', '192.0.2.1')
  await expect(reports.close()).resolves.toBeUndefined()
})

test('a forgery is what somebody else has signed, and not what is old or no token', async () => {
  const [ours, theirs] = await Promise.all([generateKeyPair('EdDSA'), generateKeyPair('EdDSA')])
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(ours.publicKey)), kid: 'ours' }] })
  const signed = (key: CryptoKey, kid: string, exp = '5m') =>
    new SignJWT({}).setProtectedHeader({ alg: 'EdDSA', kid }).setExpirationTime(exp).sign(key)
  const outcome = (text: string) =>
    jwtVerify(text, keys, { algorithms: ['EdDSA'] }).then(
      () => 'good',
      (cause: unknown) => isForgery(new Error('wrapped', { cause })),
    )

  expect(await outcome(await signed(ours.privateKey, 'ours'))).toBe('good')
  expect(await outcome(await signed(theirs.privateKey, 'ours'))).toBe(true)
  expect(await outcome(await signed(theirs.privateKey, 'another'))).toBe(true)
  expect(await outcome(new UnsecuredJWT({}).encode())).toBe(true)
  expect(await outcome(await signed(ours.privateKey, 'ours', '-5m'))).toBe(false)
  expect(await outcome('not.a.token')).toBe(false)
  expect(await outcome('')).toBe(false)
})
