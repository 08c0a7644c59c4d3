import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { expect, onTestFinished, test } from 'vitest'

import { createLog } from './log.ts'

const logModule = `${import.meta.dirname}/log.ts`

/** A process of ours whose standard output nobody reads. */
function unread(script: string) {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.pause()
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

test('a process goes on and ends although nobody reads its log', async () => {
  const child = unread(`
    import { createLog } from '${logModule}'
    import { closeOnSignal } from '${import.meta.dirname}/lifecycle.ts'
    const log = createLog('part')
    closeOnSignal({ close: () => undefined }, log)
    for (let line = 0; line < 20_000; line += 1) log.info({ line, text: 'x'.repeat(200) }, 'a line')
    console.error('still serving')
    setInterval(() => undefined, 1_000)
  `)

  const [said] = (await once(child.stderr, 'data')) as [Buffer]
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number | null]

  expect(said.toString()).toContain('still serving')
  expect(code).toBe(0)
})

test('a credential that slips into a line is not written', () => {
  const lines: string[] = []
  const log = createLog('part', 'info', { write: (line) => void lines.push(line) })

  log.info({ authtoken: 'hunter2', request: { authorization: 'Bearer hunter2' } }, 'said')

  expect(lines.join('')).toContain('[redacted]')
  expect(lines.join('')).not.toContain('hunter2')
})
