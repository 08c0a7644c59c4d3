import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

const run = promisify(execFile)
const generateTypes = fileURLToPath(new URL('../generate-types.ts', import.meta.url))

test('the operations fit the contract with partners, and their types are what it says', async () => {
  const { stderr } = await run(process.execPath, [generateTypes, '--check'])

  expect(stderr).toBe('')
}, 60_000)
