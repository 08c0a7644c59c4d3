import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import S3rver from '@20minutes/s3rver'
import { afterAll, beforeAll, expect, test } from 'vitest'

import {
  objectBytesMax,
  objectStoreSettings,
  openObjectStore,
  type ObjectStore,
} from './object-store.ts'
import { unusedPort } from './unused-port.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-objects-'))
const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
let s3: S3rver
const stores: Record<string, ObjectStore> = {}

const store = (kind: string): ObjectStore => {
  const found = stores[kind]
  if (!found) throw new Error(`no store ${kind}`)
  return found
}

beforeAll(async () => {
  s3 = new S3rver({
    address: '127.0.0.1',
    port: await unusedPort(),
    silent: true,
    directory: join(folder, 's3'),
    // It signs queries with an encoded slash otherwise than Amazon does.
    allowMismatchedSignatures: true,
    configureBuckets: [{ name: 'bodies' }],
  })
  const { port } = await s3.run()
  stores['disk'] = await openObjectStore({ folder: join(folder, 'disk') })
  stores['S3'] = await openObjectStore({
    bucket: 'bodies',
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials,
  })
})

afterAll(async () => {
  for (const one of Object.values(stores)) one.close()
  await s3.close()
  rmSync(folder, { recursive: true, force: true })
})

test.for(['disk', 'S3'])('%s: what was put is read back, and replaced as a whole', async (kind) => {
  const bytes = Buffer.from([0, 255, 10, 13, 0])
  await store(kind).put('a/b/c.bin', bytes, 'application/octet-stream')
  expect(await store(kind).get('a/b/c.bin')).toEqual(bytes)

  await store(kind).put('a/b/c.bin', Buffer.from('new'), 'text/plain')
  expect(String(await store(kind).get('a/b/c.bin'))).toBe('new')
  expect(await store(kind).get('a/b/none')).toBeUndefined()
  expect(await store(kind).get('a/b')).toBeUndefined()
})

test.for(['disk', 'S3'])(
  '%s: names below a prefix are listed, and deleted with it',
  async (kind) => {
    for (const key of ['days/1/x', 'days/1/y', 'days/2/x', 'days/file', 'daysafter/x']) {
      await store(kind).put(key, Buffer.from(key), 'text/plain')
    }
    expect(await store(kind).list('days/')).toEqual(['1/', '2/', 'file'])
    expect(await store(kind).list('none/')).toEqual([])

    await store(kind).deleteAll('days/1/')
    await store(kind).deleteAll('none/')
    expect(await store(kind).list('days/')).toEqual(['2/', 'file'])
    expect(String(await store(kind).get('daysafter/x'))).toBe('daysafter/x')
  },
)

test('S3: every page of a long list is read', async () => {
  const pages = [
    '<IsTruncated>true</IsTruncated><NextContinuationToken>2</NextContinuationToken><Contents><Key>many/a</Key></Contents>',
    '<IsTruncated>false</IsTruncated><CommonPrefixes><Prefix>many/b/</Prefix></CommonPrefixes>',
  ]
  const asked: (string | null)[] = []
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://s3').searchParams.get('continuation-token'))
    response.end(`<ListBucketResult>${pages[asked.length - 1]}</ListBucketResult>`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const endpoint = `http://127.0.0.1:${port}`
  const many = await openObjectStore({ bucket: 'x', region: 'us-east-1', endpoint, credentials })

  expect(await many.list('many/')).toEqual(['a', 'b/'])
  expect(asked).toEqual([null, '2'])
  many.close()
  server.close()
})

test.for(['../x', 'a/../b', '/a', 'a//b', 'a/', '', 'a\\b', 'a\0b', 'x'.repeat(201), '.'])(
  'the key %j is refused, so that no object leaves its folder',
  async (key) => {
    for (const kind of ['disk', 'S3']) {
      await expect(store(kind).put(key, Buffer.from('x'), 'text/plain')).rejects.toThrow(
        'not a key',
      )
      await expect(store(kind).get(key)).rejects.toThrow('not a key')
      await expect(store(kind).deleteAll(`${key}/`)).rejects.toThrow(/not a key|ends with/)
    }
  },
)

test('an object beyond the limit is refused before it costs anything', async () => {
  const bytes = Buffer.alloc(objectBytesMax + 1)
  for (const kind of ['disk', 'S3']) {
    await expect(store(kind).put('large', bytes, 'text/plain')).rejects.toThrow('at most')
    expect(await store(kind).get('large')).toBeUndefined()
  }
})

test('files are for their owner alone, and nothing half-written stays', async () => {
  await store('disk').put('mine/secret', Buffer.from('x'), 'text/plain')

  expect(statSync(join(folder, 'disk/mine/secret')).mode & 0o077).toBe(0)
  expect(readdirSync(join(folder, 'disk/mine'))).toEqual(['secret'])
})

test('a store that cannot be reached says so without its address', async () => {
  const away = await openObjectStore({
    bucket: 'bodies',
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${await unusedPort()}`,
    credentials,
  })
  await expect(away.get('a')).rejects.toThrow('the object store did not answer as it should')
  away.close()
})

test('a bucket goes before a folder; neither means no store', () => {
  const none = { S3_REGION: 'eu-west-1' }
  expect(objectStoreSettings(none)).toBeUndefined()
  expect(objectStoreSettings({ ...none, OBJECT_STORE_DIR: '/objects' })).toEqual({
    folder: '/objects',
  })
  expect(
    objectStoreSettings({
      ...none,
      OBJECT_STORE_DIR: '/objects',
      S3_BUCKET: 'bodies',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'secret',
    }),
  ).toMatchObject({
    bucket: 'bodies',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
  })
  expect(() => objectStoreSettings({ ...none, S3_BUCKET: 'bodies' })).toThrow('S3_ACCESS_KEY_ID')
})
