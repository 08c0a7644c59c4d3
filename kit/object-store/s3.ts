import { createHash } from 'node:crypto'

import { AwsClient } from 'aws4fetch'

import {
  assertKey,
  assertObjectSize,
  assertPrefix,
  ObjectStoreError,
  type ObjectStore,
  type ObjectStoreSettings,
} from './contract.ts'

/** For one request with its whole answer, tries again included. */
const requestMsMax = 30_000
/** Tries of one request beyond the first; the library waits longer before each. */
const retries = 2
/** Deletions under way at once. */
const deletionsMax = 16

type S3Settings = Exclude<ObjectStoreSettings, { folder: string }>

/** Keeps objects in a bucket of a store that speaks S3. */
export function openS3Store({ bucket, region, endpoint, credentials }: S3Settings): ObjectStore {
  const client = new AwsClient({ ...credentials, region, service: 's3', retries })
  // Stores other than Amazon's have no hosts of their own for each bucket.
  const base = endpoint
    ? `${endpoint.replace(/\/$/, '')}/${bucket}`
    : `https://${bucket}.s3.${region}.amazonaws.com`

  /** Answers of `expected` statuses, to be read by the caller. */
  async function ask(
    path: string,
    init: RequestInit,
    expected: readonly number[],
  ): Promise<Response> {
    // Addresses and headers may stand in what was thrown: they stay the cause.
    const failed = (cause: unknown): ObjectStoreError =>
      new ObjectStoreError('the object store did not answer as it should', { cause })
    try {
      const signal = AbortSignal.timeout(requestMsMax)
      const response = await client.fetch(`${base}${path}`, { ...init, signal })
      if (expected.includes(response.status)) return response
      throw new Error(`status ${response.status}: ${(await response.text()).slice(0, 500)}`)
    } catch (error) {
      throw failed(error)
    }
  }

  async function* pages(prefix: string, delimiter = '') {
    let token: string | undefined
    do {
      const query = new URLSearchParams({ 'list-type': '2', prefix })
      if (delimiter) query.set('delimiter', delimiter)
      if (token !== undefined) query.set('continuation-token', token)
      const response = await ask(`?${query}`, {}, [200])
      const page = await response.text()
      const prefixes = elements(page, 'CommonPrefixes').flatMap((one) => elements(one, 'Prefix'))
      const keys = elements(page, 'Contents').flatMap((one) => elements(one, 'Key'))
      yield { prefixes, keys }
      ;[token] = elements(page, 'NextContinuationToken')
    } while (token !== undefined)
  }

  return {
    async put(key, bytes, contentType) {
      assertKey(key)
      assertObjectSize(bytes)
      const headers = {
        'content-type': contentType,
        // Signed with the rest: what is stored is what was sent.
        'x-amz-content-sha256': createHash('sha256').update(bytes).digest('hex'),
      }
      const body = bytes as Uint8Array<ArrayBuffer>
      const response = await ask(`/${key}`, { method: 'PUT', body, headers }, [200])
      await response.arrayBuffer()
    },
    async get(key) {
      assertKey(key)
      const response = await ask(`/${key}`, {}, [200, 404])
      const bytes = Buffer.from(await response.arrayBuffer())
      return response.status === 200 ? bytes : undefined
    },
    async list(prefix) {
      assertPrefix(prefix)
      const names: string[] = []
      for await (const { prefixes, keys } of pages(prefix, '/')) names.push(...prefixes, ...keys)
      return names.map((name) => name.slice(prefix.length)).toSorted()
    },
    async deleteAll(prefix) {
      assertPrefix(prefix)
      for await (const { keys } of pages(prefix)) {
        for (let at = 0; at < keys.length; at += deletionsMax) {
          await Promise.all(
            keys.slice(at, at + deletionsMax).map(async (key) => {
              const response = await ask(`/${key}`, { method: 'DELETE' }, [200, 204, 404])
              await response.arrayBuffer()
            }),
          )
        }
      }
    },
    close: () => undefined,
  }
}

/** The texts of all elements of a name, which never holds another of its name in what S3 answers. */
function elements(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))
  return Array.from(found, ([, inner = '']) =>
    inner.replaceAll(/&(?:amp|lt|gt|quot|apos);/g, plain),
  )
}

const entities: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
}

function plain(entity: string): string {
  return entities[entity] ?? entity
}
