import { silentLog } from '@sluice/kit/log'
import { openEmptyDatabase, openTestRedis } from '@sluice/kit/testing'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'

import { createServer } from './server.ts'

const patience = { timeout: 15_000, interval: 50 }

async function createWorld() {
  const db = await openEmptyDatabase(inject('databaseUrl'))
  const redisServer = await openTestRedis(inject('redisUrl'))
  const redis = new Redis(redisServer.url)
  const worker = await createServer({
    databaseUrl: db.url,
    redisUrl: redisServer.url,
    port: 0,
    log: silentLog,
    cnameTarget: 'edge.sluice.test',
    // Nobody listens there: every question fails at once.
    dnsServers: ['127.0.0.1:1'],
    lookEveryMs: 100,
  })
  onTestFinished(async () => {
    await worker.close()
    redis.disconnect()
    await redisServer[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
  })
  return {
    redis,
    worker,
    add: async (status: 'PENDING' | 'VERIFIED') => {
      const id = crypto.randomUUID()
      await db.query(
        `insert into domains.custom_domain
           (id, organization_id, domain, token, status, created_at, dns_checks, next_dns_check_at, next_tls_probe_at)
         values ($1, $1, 'app.example.com', 'token', $2, now(), 0,
           case $2 when 'PENDING' then now() end, case $2 when 'VERIFIED' then now() end)`,
        [id, status],
      )
      return id
    },
    find: async (id: string) => {
      const [row] = await db.query<{ last_error: string | null; tls_status: string | null }>(
        'select last_error, tls_status from domains.custom_domain where id = $1',
        [id],
      )
      return row
    },
  }
}

test('pending domains are checked and certificates are looked at, also after Redis lost everything', async () => {
  const { add, find, redis } = await createWorld()
  const before = [await add('PENDING'), await add('VERIFIED')] as const
  await expect
    .poll(() => find(before[0]), patience)
    .toMatchObject({ last_error: 'DNS did not answer' })
  await expect.poll(() => find(before[1]), patience).toMatchObject({ tls_status: 'UNREACHABLE' })

  await redis.flushdb()
  const after = await add('PENDING')

  await expect.poll(() => find(after), patience).toMatchObject({ last_error: 'DNS did not answer' })
})

test('the worker says that it lives and is ready, and what its jobs did', async () => {
  const { worker } = await createWorld()
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${worker.port}/${path}`)
    return answer.text()
  }

  expect([await get('healthz'), await get('readyz')]).toEqual(['ok\n', 'ready\n'])
  await expect
    .poll(() => get('metrics'), patience)
    .toContain('sluice_worker_jobs_total{job="tls.probe",result="done",part="certificates-worker"}')
})
