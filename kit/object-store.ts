import { z } from 'zod'

import type { ObjectStore, ObjectStoreSettings } from './object-store/contract.ts'
import { openDiskStore } from './object-store/disk.ts'

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
  return {
    bucket: values.S3_BUCKET,
    region: values.S3_REGION,
    endpoint: values.S3_ENDPOINT,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
  }
}

/** Opens the store. A bucket must exist; a folder is made. */
export async function openObjectStore(settings: ObjectStoreSettings): Promise<ObjectStore> {
  if ('folder' in settings) return openDiskStore(settings.folder)
  // The SDK is large, and most installations on one machine never load it.
  const { openS3Store } = await import('./object-store/s3.ts')
  return openS3Store(settings)
}
