import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))

test('the committed schema is what the subgraphs say, and every published operation can be planned', async () => {
  const { stdout } = await run(process.execPath, ['scripts/schema.ts', 'check'], { cwd: root })

  expect(stdout).toBe('The schema is in order.\n')
}, 60_000)
