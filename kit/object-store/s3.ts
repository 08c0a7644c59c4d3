import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'

import {
  assertKey,
  assertObjectSize,
  assertPrefix,
  ObjectStoreError,
  type ObjectStore,
  type ObjectStoreSettings,
} from './contract.ts'

const requestMsMax = 10_000
const attemptsMax = 3

type S3Settings = Exclude<ObjectStoreSettings, { folder: string }>

/** Keeps objects in a bucket of a store that speaks S3. */
export function openS3Store({ bucket, region, endpoint, credentials }: S3Settings): ObjectStore {
  const client = new S3Client({
    region,
    maxAttempts: attemptsMax,
    requestHandler: { requestTimeout: requestMsMax, connectionTimeout: requestMsMax },
    // Stores other than Amazon's have neither bucket hosts nor the newer checksums.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === undefined ? {} : { credentials }),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const pages = async function* (Prefix: string, Delimiter?: string) {
    let ContinuationToken: string | undefined
    do {
      const page = await asked(() =>
        client.send(
          new ListObjectsV2Command({ Bucket: bucket, Prefix, Delimiter, ContinuationToken }),
        ),
      )
      yield page
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
  }
  return {
    async put(key, bytes, contentType) {
      assertKey(key)
      assertObjectSize(bytes)
      const object = { Bucket: bucket, Key: key, Body: bytes, ContentType: contentType }
      await asked(() => client.send(new PutObjectCommand(object)))
    },
    async get(key) {
      assertKey(key)
      return asked(async () => {
        try {
          const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
          return Body === undefined ? undefined : Buffer.from(await Body.transformToByteArray())
        } catch (error) {
          if (error instanceof NoSuchKey) return undefined
          throw error
        }
      })
    },
    async list(prefix) {
      assertPrefix(prefix)
      const names: string[] = []
      for await (const page of pages(prefix, '/')) {
        for (const { Prefix } of page.CommonPrefixes ?? []) names.push(Prefix ?? '')
        for (const { Key } of page.Contents ?? []) names.push(Key ?? '')
      }
      return names.map((name) => name.slice(prefix.length)).toSorted()
    },
    async deleteAll(prefix) {
      assertPrefix(prefix)
      for await (const { Contents = [] } of pages(prefix)) {
        if (Contents.length === 0) continue
        const Objects = Contents.map(({ Key }) => ({ Key }))
        const Delete = { Objects, Quiet: true }
        await asked(() => client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete })))
      }
    },
    close: () => client.destroy(),
  }
}

/** The SDK's errors may hold addresses and headers: they stay the cause. */
async function asked<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    throw new ObjectStoreError('the object store did not answer as it should', { cause: error })
  }
}
