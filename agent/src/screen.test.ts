import { EventEmitter } from 'node:events'

import { expect, test, vi } from 'vitest'

import { openScreen } from './screen.ts'

class FakeTerminal extends EventEmitter {
  readonly isTTY = true
  columns = 80
  rows = 24
  written: string[] = []
  isRaw = false
  write(text: string) {
    this.written.push(text)
    return true
  }
  setRawMode(raw: boolean) {
    this.isRaw = raw
  }
  setEncoding() {}
  resume() {}
  pause() {}
  /** What was written since the last call. */
  take() {
    return this.written.splice(0).join('')
  }
}

function open(lines: () => string[], keys: Record<string, () => void> = {}) {
  const terminal = new FakeTerminal()
  const restores = new Set<() => void>()
  const quit = vi.fn<() => void>()
  const interrupt = vi.fn<() => void>()
  const screen = openScreen({
    stdin: terminal as unknown as NodeJS.ReadStream,
    stdout: terminal as unknown as NodeJS.WriteStream,
    lines,
    keys,
    quit,
    interrupt,
    onExit: (restore) => {
      restores.add(restore)
      return () => restores.delete(restore)
    },
  })
  return { terminal, screen, quit, interrupt, restores }
}

test('only the lines that changed are drawn again', () => {
  vi.useFakeTimers()
  const lines = ['one', 'two', 'three']
  const { terminal, screen } = open(() => [...lines])
  expect(terminal.take()).toContain('\u001B[2;1Htwo')

  lines[1] = 'TWO'
  vi.advanceTimersByTime(1000)
  screen.changed()

  expect(terminal.take()).toBe('\u001B[?2026h\u001B[2;1HTWO\u001B[K\u001B[?2026l')
  screen.close()
  vi.useRealTimers()
})

test('a thousand changes in a second are at most eleven drawings, and the last one is seen', () => {
  vi.useFakeTimers()
  let count = 0
  const { terminal, screen } = open(() => [`count ${count}`])
  terminal.written = []

  for (count = 1; count < 1000; count += 1) {
    screen.changed()
    vi.advanceTimersByTime(1)
  }
  vi.advanceTimersByTime(1000)

  expect(terminal.written.length).toBeLessThanOrEqual(11)
  expect(terminal.take()).toContain('count 1000')
  screen.close()
  vi.useRealTimers()
})

test('a resize draws everything anew', () => {
  vi.useFakeTimers()
  const { terminal, screen } = open(() => ['one'])
  vi.advanceTimersByTime(1000)
  terminal.take()

  terminal.emit('resize')

  expect(terminal.take()).toMatch(/\[2J.*one/s)
  screen.close()
  vi.useRealTimers()
})

test('closing gives the terminal back as it was, once', () => {
  const { terminal, screen, restores } = open(() => ['one'])
  expect(terminal.isRaw).toBe(true)
  expect(terminal.take()).toContain('\u001B[?1049h')

  screen.close()
  screen.close()

  expect(terminal.isRaw).toBe(false)
  expect(terminal.take()).toBe('\u001B[?7h\u001B[?25h\u001B[?1049l')
  expect(restores.size).toBe(0)
})

test('a crash gives the terminal back too', () => {
  const { terminal, restores } = open(() => ['one'])
  terminal.take()

  for (const restore of restores) restore()

  expect(terminal.take()).toContain('\u001B[?1049l')
  expect(terminal.isRaw).toBe(false)
})

test('a key does what it is for, and the letters of an escape do nothing', () => {
  const pressed: string[] = []
  const { terminal, screen } = open(() => [], { c: () => pressed.push('c') })

  terminal.emit('data', '\u001B[?1;2c\u001BOc\u001B[A')
  expect(pressed).toEqual([])
  terminal.emit('data', 'xcq')

  expect(pressed).toEqual(['c'])
  screen.close()
})

test('q and Ctrl-C quit, other keys do nothing', () => {
  const { terminal, screen, quit, interrupt } = open(() => [])

  terminal.emit('data', 'xyz\u001B[A')
  expect(quit).not.toHaveBeenCalled()
  expect(interrupt).not.toHaveBeenCalled()
  terminal.emit('data', 'aq')
  terminal.emit('data', '\u0003')

  expect(quit).toHaveBeenCalledOnce()
  expect(interrupt).toHaveBeenCalledOnce()
  screen.close()
})
