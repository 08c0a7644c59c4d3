import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { unusedPort } from '@sluice/kit/unused-port'
import { expect, onTestFinished, test } from 'vitest'

import { Program } from '../world.ts'

/** `npm start` on ports and data of its own, with its own PostgreSQL and Redis. */
async function npmStart(data?: string, env: NodeJS.ProcessEnv = {}) {
  const folder = data ?? mkdtempSync(join(tmpdir(), 'sluice-start-'))
  const program = new Program('npm start', ['scripts/start.mjs'], {
    env: {
      SLUICE_DATA: folder,
      SLUICE_CONSOLE_PORT: String(await unusedPort()),
      SLUICE_HTTP_PORT: String(await unusedPort()),
      SLUICE_HTTPS_PORT: String(await unusedPort()),
      SLUICE_METRICS_PORT: '0',
      ...env,
    },
  })
  onTestFinished(async () => {
    await program[Symbol.asyncDispose]()
    if (!data) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  return { folder, program }
}

const readyMsMax = 180_000
/** What the whole platform may hold after a start. */
const residentMbMax = 600

test('a start says who is ready and how to go on, and a second one on the same data says where the first is', async () => {
  const first = await npmStart()
  const [, resident] = await first.program.line(
    /Sluice: ready in [\d.]+ s, (\d+) MB resident/,
    readyMsMax,
  )

  expect(Number(resident)).toBeGreaterThan(0)
  expect(Number(resident)).toBeLessThanOrEqual(residentMbMax)
  expect(first.program.output).toMatch(/PostgreSQL +ready/)
  expect(first.program.output).toMatch(/relay +ready/)
  expect(first.program.output).toMatch(/Console +http:\/\/localhost:\d+/)
  expect(first.program.output).toMatch(/Sign in +admin@sluice.local {2}\S+/)
  expect(first.program.output).toContain('node agent/dist/sluice.js http 3000')

  const second = await npmStart(first.folder)
  expect(await second.program.exited).toBe(1)
  expect(second.program.output).toMatch(/Sluice runs already \(process \d+, console http/)

  first.program.child.kill('SIGTERM')
  expect(await first.program.exited).toBe(0)
  expect(first.program.output).toContain('Stopped. The data is kept.')

  const again = await npmStart(first.folder)
  await again.program.line(/Sluice: ready in/, readyMsMax)
  expect(again.program.output).not.toContain('admin@sluice.local')
})

test('Ctrl-C during the start stops cleanly, and the next start works', async () => {
  const { folder, program } = await npmStart()
  await program.line(/Sluice is starting/)

  program.child.kill('SIGINT')

  expect(await program.exited).toBe(0)
  expect(program.output).toContain('Stopped.')
  const next = await npmStart(folder)
  await next.program.line(/Sluice: ready in/, readyMsMax)
})

test('after the platform was killed the next start tidies up and works', async () => {
  const { folder, program } = await npmStart()
  await program.line(/Sluice: ready in/, readyMsMax)
  const { pid } = JSON.parse(readFileSync(join(folder, 'run/platform.json'), 'utf8')) as {
    pid: number
  }

  process.kill(pid, 'SIGKILL')
  await program.exited

  const next = await npmStart(folder)
  await next.program.line(/Sluice: ready in/, readyMsMax)
  expect(next.program.output).not.toContain('✗')
})

test('a taken port is named together with what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const { program } = await npmStart(undefined, { SLUICE_HTTP_PORT: String(port) })

  expect(await program.exited).toBe(1)
  expect(program.output).toContain(`Port ${port} is taken by another program`)
})

test.for([
  [
    'written by another layout',
    (folder: string) => writeFileSync(join(folder, 'LAYOUT'), '0\n'),
    'layout 0',
  ],
  [
    'of another PostgreSQL',
    (folder: string) => {
      mkdirSync(join(folder, 'postgres'))
      writeFileSync(join(folder, 'postgres/PG_VERSION'), '9.6\n')
    },
    'was written by PostgreSQL 9.6',
  ],
] as const)(
  'a data folder %s is refused with what to do and left alone',
  async ([, spoil, message]) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-stale-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    spoil(folder)

    const { program } = await npmStart(folder)

    expect(await program.exited).toBe(1)
    expect(program.output).toContain(message)
  },
)

test('a setting that is not valid is named without its value', async () => {
  const { program } = await npmStart(undefined, { SLUICE_HTTP_PORT: 'hunter2' })

  expect(await program.exited).toBe(1)
  expect(program.output).toContain('SLUICE_HTTP_PORT')
  expect(program.output).not.toContain('hunter2')
})
