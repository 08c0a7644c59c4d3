import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { config } from './config.ts'
import { assertPortsFree, endLeftOver, noteProcess, takeFolder } from './instance.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'sluice-local-'))

/** A process whose command line names the program. */
async function running(program: string) {
  const child = spawn(process.execPath, ['-e', 'console.log(1);setInterval(()=>{},1000)', program])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

test('a second start on the same folder is told where the first one is', async () => {
  const data = folder()
  const first = await running('docker/local')
  takeFolder(data, 'http://localhost:4000').close()
  writeFileSync(
    join(data, 'run/platform.json'),
    JSON.stringify({ pid: first.pid, consoleUrl: 'http://localhost:4123' }),
  )

  expect(() => takeFolder(data, 'http://localhost:4000')).toThrow(
    `runs already (process ${first.pid}, console http://localhost:4123)`,
  )
})

test.for([
  ['a process that ended', JSON.stringify({ pid: 2 ** 30, consoleUrl: 'x' })],
  ['a stranger who has the number now', JSON.stringify({ pid: 1, consoleUrl: 'x' })],
  ['half a file', '{"pid":'],
])('the note of %s does not keep anybody from starting', ([, note]) => {
  const data = folder()
  takeFolder(data, 'x').close()
  writeFileSync(join(data, 'run/platform.json'), note ?? '')

  const taken = takeFolder(data, 'x')
  taken.close()

  expect(existsSync(join(data, 'run/platform.json'))).toBe(false)
})

test('a folder of another layout is refused and left as it is', () => {
  const data = folder()
  writeFileSync(join(data, 'LAYOUT'), '0\n')

  expect(() => takeFolder(data, 'x')).toThrow('layout 0')
})

test('what a killed start left running is ended, a stranger with its number is not', async () => {
  const data = folder()
  takeFolder(data, 'x').close()
  const ours = await running('relay/src/main.ts')
  const stranger = await running('something/else.ts')
  noteProcess(data, 'relay', ours.pid ?? 0)
  noteProcess(data, 'other', stranger.pid ?? 0)

  const gone = once(ours, 'exit')
  endLeftOver(data, 'relay', 'relay/src/main.ts')
  endLeftOver(data, 'other', 'relay/src/main.ts')
  await gone

  expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
})

test('a taken port is named together with the variable that moves it', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { ports } = config(
    {
      SLUICE_CONSOLE_PORT: String(port),
      SLUICE_HTTP_PORT: '0',
      SLUICE_HTTPS_PORT: '0',
      SLUICE_METRICS_PORT: '0',
    },
    '/',
  )

  await expect(assertPortsFree(ports)).rejects.toThrow(
    new RegExp(`Port ${port} is taken.*SLUICE_CONSOLE_PORT=`),
  )
})
