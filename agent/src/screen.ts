import type { ScreenSize } from './screen-lines.ts'

/** Ten pictures a second: smooth for the eye, and a flood of requests costs no more. */
const drawIntervalMs = 100

const enter = '\u001B[?1049h\u001B[?25l\u001B[?7l'
const leave = '\u001B[?7h\u001B[?25h\u001B[?1049l'
/** The terminal shows what stands between the two at once, or ignores both marks. */
const beginUpdate = '\u001B[?2026h'
const endUpdate = '\u001B[?2026l'
const clear = '\u001B[2J'

export interface ScreenOptions {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  /** What is to be seen now, for a window of this size. */
  readonly lines: (size: ScreenSize) => readonly string[]
  /** `q`. */
  readonly quit: () => void
  /** What other keys do. */
  readonly keys?: Readonly<Record<string, () => void>>
  /** Ctrl-C, which a terminal in raw mode hands over as a key. */
  readonly interrupt: () => void
  readonly onExit: (restore: () => void) => () => void
  readonly drawIntervalMs?: number
}

export interface Screen {
  /** Something has changed: draws soon, and not more often than the interval. */
  changed(): void
  /** Gives the terminal back as it was. */
  close(): void
}

/** The live screen. Nothing else writes to the terminal while it is open. */
export function openScreen(options: ScreenOptions): Screen {
  const { stdin, stdout, lines, quit, interrupt, onExit, keys: more = {} } = options
  const intervalMs = options.drawIntervalMs ?? drawIntervalMs
  let shown: readonly string[] = []
  let timer: NodeJS.Timeout | null = null
  let isDirty = false
  let isOpen = true

  function draw(): void {
    // The last column stays free: there, erasing the rest of the line would take the last character.
    const size = { columns: (stdout.columns || 80) - 1, rows: stdout.rows || 24 }
    const next = lines(size)
    const changes: string[] = []
    for (let at = 0; at < Math.max(next.length, shown.length); at += 1) {
      const line = next[at] ?? ''
      if (line !== shown[at]) changes.push(`\u001B[${at + 1};1H${line}\u001B[K`)
    }
    shown = next
    if (changes.length > 0) stdout.write(beginUpdate + changes.join('') + endUpdate)
  }

  function changed(): void {
    isDirty = true
    if (timer || !isOpen) return
    isDirty = false
    draw()
    timer = setTimeout(() => {
      timer = null
      if (isDirty) changed()
    }, intervalMs)
  }

  function resized(): void {
    shown = []
    if (isOpen) stdout.write(clear)
    changed()
  }

  function pressed(keys: string): void {
    // One by one: fast fingers, or a paste, send several in one chunk.
    for (const key of withoutEscapes(keys)) {
      if (key === 'q') quit()
      else if (Object.hasOwn(more, key)) more[key]?.()
      if (key === '\u0003') interrupt()
    }
  }

  function restore(): void {
    if (!isOpen) return
    isOpen = false
    stdout.write(leave)
    if (stdin.isTTY) stdin.setRawMode(false)
  }

  const takeBack = onExit(restore)
  stdout.write(enter + clear)
  stdout.on('resize', resized)
  if (stdin.isTTY) {
    stdin.setRawMode(true)
    stdin.setEncoding('utf8')
    stdin.on('data', pressed)
    stdin.resume()
  }
  changed()

  return {
    changed,
    close() {
      if (timer) clearTimeout(timer)
      stdout.off('resize', resized)
      stdin.off('data', pressed)
      stdin.pause()
      restore()
      takeBack()
    },
  }
}

/** Arrow keys and answers of the terminal are escapes that hold letters: nobody pressed those. */
function withoutEscapes(text: string): string {
  // oxlint-disable-next-line no-control-regex -- an escape sequence begins with one
  return text.replaceAll(/\u001B(?:\[[0-?]*[ -/]*[@-~]|O.|.)?/g, '')
}
