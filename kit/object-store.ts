import { z } from 'zod'

import { ConfigError } from './config.ts'
import type { ObjectStore, ObjectStoreSettings } from './object-store/contract.ts'
import { openDiskStore } from './object-store/disk.ts'
import { openS3Store } from './object-store/s3.ts'

export { objectBytesMax, ObjectStoreError } from './object-store/contract.ts'
export type { ObjectStore, ObjectStoreSettings } from './object-store/contract.ts'

/** Variables for `readConfig`. */
export const objectStoreVariables = {
  OBJECT_STORE_DIR: z.string().optional(),
  S3_BUCKET: z.string().optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
} as const

/** Undefined: the operator has named no store, and what needs one is off. */
export function objectStoreSettings(
  values: z.infer<z.ZodObject<typeof objectStoreVariables>>,
): ObjectStoreSettings | undefined {
  if (values.S3_BUCKET === undefined) {
    return values.OBJECT_STORE_DIR === undefined ? undefined : { folder: values.OBJECT_STORE_DIR }
  }
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = values
  if (!accessKeyId || !secretAccessKey) {
    throw new ConfigError('S3_BUCKET needs S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY')
  }
  return {
    bucket: values.S3_BUCKET,
    region: values.S3_REGION,
    endpoint: values.S3_ENDPOINT,
    credentials: { accessKeyId, secretAccessKey },
  }
}

/** Opens the store. A bucket must exist; a folder is made. */
export async function openObjectStore(settings: ObjectStoreSettings): Promise<ObjectStore> {
  if ('folder' in settings) return openDiskStore(settings.folder)
  return openS3Store(settings)
}
