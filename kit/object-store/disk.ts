import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import {
  assertKey,
  assertObjectSize,
  assertPrefix,
  ObjectStoreError,
  type ObjectStore,
} from './contract.ts'

/** Being written; never listed, never read. A crash may leave one behind. */
const partial = '.partial-'

/** Keeps objects as files of one folder that nobody but this user reads. */
export async function openDiskStore(folder: string): Promise<ObjectStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return {
    async put(key, bytes) {
      assertKey(key)
      assertObjectSize(bytes)
      const path = join(folder, key)
      const writing = join(dirname(path), `${partial}${randomUUID()}`)
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      try {
        await writeFile(writing, bytes, { mode: 0o600 })
        await rename(writing, path)
      } catch (error) {
        await rm(writing, { force: true })
        throw new ObjectStoreError('the object was not written', { cause: error })
      }
    },
    async get(key) {
      assertKey(key)
      try {
        return await readFile(join(folder, key))
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw new ObjectStoreError('the object was not read', { cause: error })
      }
    },
    async list(prefix) {
      assertPrefix(prefix)
      try {
        const entries = await readdir(join(folder, prefix), { withFileTypes: true })
        return entries
          .filter(({ name }) => !name.startsWith(partial))
          .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
          .toSorted()
      } catch (error) {
        if (isAbsent(error)) return []
        throw new ObjectStoreError('the folder was not read', { cause: error })
      }
    },
    async deleteAll(prefix) {
      assertPrefix(prefix)
      await rm(join(folder, prefix), { recursive: true, force: true })
    },
    close() {},
  }
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR'
}
