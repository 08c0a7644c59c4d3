import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Redis } from 'ioredis'
import { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'

import { startPostgres, startRedis } from './engines.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'sluice-engines-'))

async function rowsOf(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

test('PostgreSQL keeps its data over a stop and a start', async () => {
  const dataDir = join(folder(), 'postgres')
  const first = await startPostgres({ dataDir })
  await rowsOf(first.url, 'create table kept as select 42 as answer')
  await first.close()

  const second = await startPostgres({ dataDir })
  onTestFinished(() => second.close())

  expect(await rowsOf(second.url, 'select answer from kept')).toEqual([{ answer: 42 }])
})

test('a PostgreSQL that a killed start left running is stopped before the next one starts', async () => {
  const dataDir = join(folder(), 'postgres')
  const leftOver = await startPostgres({ dataDir })

  const next = await startPostgres({ dataDir })
  onTestFinished(() => next.close())

  expect(next.pid).not.toBe(leftOver.pid)
  expect(await rowsOf(next.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('a folder with other files is refused and left alone', async () => {
  const dataDir = folder()
  writeFileSync(join(dataDir, 'holiday.jpg'), 'x')

  await expect(startPostgres({ dataDir })).rejects.toThrow('no PostgreSQL data')
  expect(readdirSync(dataDir)).toEqual(['holiday.jpg'])
})

test('data of another PostgreSQL is refused with both versions', async () => {
  const dataDir = join(folder(), 'postgres')
  mkdirSync(dataDir)
  writeFileSync(join(dataDir, 'PG_VERSION'), '9.6\n')

  await expect(startPostgres({ dataDir })).rejects.toThrow('PostgreSQL 9.6')
})

test('Redis starts empty and answers', async () => {
  const engine = await startRedis()
  onTestFinished(() => engine.close())
  const redis = new Redis(engine.url)
  onTestFinished(() => redis.disconnect())

  expect(await redis.dbsize()).toBe(0)
})

test('without a Redis to run and without root one sentence says what to install', () => {
  const script = `import { startRedis } from '${import.meta.dirname}/engines.ts'
    await startRedis().catch((error) => console.log(error.name, error.message))`

  const { stdout } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    env: { PATH: '/nowhere' },
    ...(process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}),
    encoding: 'utf8',
  })

  expect(stdout).toMatch(/^EngineError Redis is missing: install redis-server or valkey-server/)
})
