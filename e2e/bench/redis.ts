import { spawn, spawnSync } from 'node:child_process'

import { unusedPort } from '@sluice/kit/unused-port'

import { untilOpen } from './nginx.ts'
import { keep, stop } from './process.ts'

/** A private Redis that keeps nothing. Undefined, with a word on stderr, where there is none. */
export async function startRedis(
  closing: AsyncDisposableStack,
  folder: string,
): Promise<string | undefined> {
  const { stdout } = spawnSync(
    'sh',
    ['-c', 'command -v redis-server || command -v valkey-server'],
    { encoding: 'utf8' },
  )
  const server = stdout.trim()
  if (server === '') {
    process.stderr.write('no Redis here, so no figures with inspection\n')
    return undefined
  }
  const port = await unusedPort()
  const child = keep(
    spawn(
      server,
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      { cwd: folder, stdio: 'ignore' },
    ),
  )
  closing.defer(() => stop(child))
  await untilOpen(port)
  return `redis://127.0.0.1:${port}`
}
