import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'

import { expect, test } from 'vitest'

import { Interrupted } from './problem.ts'
import { readLine, readSecret } from './prompt.ts'

class FakeTerminal extends EventEmitter {
  shown = ''
  isRaw = false
  write(text: string) {
    this.shown += text
  }
  setRawMode(raw: boolean) {
    this.isRaw = raw
  }
  setEncoding() {}
  resume() {}
  pause() {}
}

function ask() {
  const terminal = new FakeTerminal()
  const stop = new AbortController()
  const state = { interrupts: 0 }
  const answer = readSecret('Authtoken: ', {
    stdin: terminal as unknown as NodeJS.ReadStream,
    stderr: terminal as unknown as NodeJS.WriteStream,
    signal: stop.signal,
    interrupt: () => {
      state.interrupts += 1
    },
    onExit: () => () => undefined,
  })
  return { terminal, answer, stop, state }
}

test('what is typed at the prompt is never shown', async () => {
  const { terminal, answer } = ask()
  for (const key of 'slt_abX\u007Fc\r') terminal.emit('data', key)

  expect(await answer).toBe('slt_abc')
  expect(terminal.shown).toBe('Authtoken: \n')
  expect(terminal.isRaw).toBe(false)
})

test('a paste with its marks is taken as it was copied', async () => {
  const { terminal, answer } = ask()
  terminal.emit('data', '\u001B[200~slt_pasted\u001B[201~')
  terminal.emit('data', '\n')

  expect(await answer).toBe('slt_pasted')
})

test('Ctrl-C and SIGTERM end the prompt and give the terminal back', async () => {
  const byKey = ask()
  byKey.terminal.emit('data', 'secret\u0003')
  await expect(byKey.answer).rejects.toBeInstanceOf(Interrupted)
  expect(byKey.state.interrupts).toBe(1)
  expect(byKey.terminal.isRaw).toBe(false)

  const bySignal = ask()
  bySignal.stop.abort()
  await expect(bySignal.answer).rejects.toBeInstanceOf(Interrupted)
  expect(bySignal.terminal.isRaw).toBe(false)
})

test('the first line of a pipe is enough, and a pipe without end is not read to its end', async () => {
  const { signal } = new AbortController()
  const open = new PassThrough()
  open.write('slt_piped\nmore')
  expect(await readLine(open, signal)).toBe('slt_piped')

  const endless = new PassThrough()
  const more = () => endless.write('x'.repeat(1024), more)
  more()
  expect((await readLine(endless, signal)).length).toBeLessThan(100_000)
})
