import { mkdtempSync, readFileSync, rmSync, writeFileSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { silentLog } from '@sluice/kit/log'
import { expect, onTestFinished, test, vi } from 'vitest'

import { createSupervisor } from './supervisor.ts'

const waitMs = { timeout: 15_000, interval: 20 }

/** A program that notes its process id under its number, and ends as it is told. */
const program = `
import { writeFileSync } from 'node:fs'
const { FOLDER, RELAY_PROCESS, EXIT_CODE = '0', DEAF } = process.env
const beat = setInterval(() => undefined, 1000)
process.on('SIGTERM', () => { if (!DEAF) { clearInterval(beat); process.exit(Number(EXIT_CODE)) } })
writeFileSync(FOLDER + '/' + RELAY_PROCESS, String(process.pid))
process.send('ready')
`

function start(env: Record<string, string> = {}, closeMsMax = 10_000) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-supervisor-'))
  const file = join(folder, 'program.mjs')
  writeFileSync(file, program)
  const supervisor = createSupervisor({
    file,
    processes: 2,
    closeMsMax,
    env: { ...env, FOLDER: folder },
    log: silentLog,
  })
  let closed = false
  const close = async (): Promise<void> => {
    closed = true
    await supervisor.close()
  }
  onTestFinished(async () => {
    if (!closed) await supervisor.close()
    rmSync(folder, { recursive: true })
  })
  const pids = (): number[] =>
    readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map((name) => Number(readFileSync(join(folder, name), 'utf8')))
  const both = () =>
    vi.waitFor(() => {
      const [one, two] = pids()
      if (!one || !two) throw new Error('not yet')
      return [one, two] as const
    }, waitMs)
  return { supervisor, close, pids, both }
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a process that is killed is started again, and the other goes on', async () => {
  const { both, pids } = start()
  const [one, two] = await both()

  process.kill(one, 'SIGKILL')

  await vi.waitFor(() => {
    expect(pids()[0]).not.toBe(one)
    expect(isAlive(pids()[0] ?? 0)).toBe(true)
  }, waitMs)
  expect(pids()[1]).toBe(two)
  expect(isAlive(two)).toBe(true)
})

test('a rolling restart replaces each process, never all at once', async () => {
  const { supervisor, both, pids } = start()
  const before = await both()
  let together = 0
  const watch = setInterval(() => {
    if (!before.some(isAlive) && !pids().some(isAlive)) together += 1
  }, 5)

  await Promise.all([supervisor.restart(), supervisor.restart()])
  clearInterval(watch)

  const after = pids()
  expect(after.filter(isAlive).length).toBe(2)
  expect(after.filter((pid) => before.includes(pid))).toEqual([])
  expect(together).toBe(0)
})

test('closing ends all of them, and starts none again', async () => {
  const { close, both } = start()
  const pids = await both()

  await close()

  expect(pids.filter(isAlive)).toEqual([])
})

test('closing fails when a process does not end well, and kills one that does not end', async () => {
  const failing = start({ EXIT_CODE: '3' })
  await failing.both()
  const deaf = start({ DEAF: '1' }, 1_000)
  const pids = await deaf.both()

  await expect(failing.close()).rejects.toThrow('did not end well')
  await expect(deaf.close()).rejects.toThrow('did not end well')
  expect(pids.filter(isAlive)).toEqual([])
})
