import { styleText } from 'node:util'

import { plainText } from './terminal-text.ts'

export interface OutputOptions {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly json: boolean
  readonly quiet: boolean
  readonly color: boolean
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export interface Output {
  readonly json: boolean
  readonly quiet: boolean
  /** The result of a command: stdout. False when the reader is slow: wait for `drained` before more. */
  result(text: string): boolean
  /** One JSON value on one line of stdout. Like `result` it says whether there is room. */
  event(value: object): boolean
  /** Resolves when there is room again, or nobody is left to read. */
  drained(): Promise<void>
  /** A remark for a person: stderr, silent with --quiet and --json. */
  message(text: string): void
  /** As `message`, and --quiet does not silence it. */
  warning(text: string): void
  /** Lines about a failure: stderr, always. */
  failure(lines: readonly string[]): void
  /** Colours a text where colours are wanted. */
  style(style: Style, text: string): string
}

/** A reader that has gone will never make room: nobody waits for it either. */
const settling = ['drain', 'error', 'close']

/** What commands say, and where: results on stdout, remarks on stderr. */
export function createOutput({ stdout, stderr, json, quiet, color }: OutputOptions): Output {
  const style = (name: Style, text: string) =>
    color ? styleText(name, text, { validateStream: false }) : text
  let draining: Promise<void> | null = null
  return {
    json,
    quiet,
    result: (text) => stdout.write(`${text}\n`),
    event: (value) => stdout.write(`${JSON.stringify(value)}\n`),
    drained: () => {
      draining ??= new Promise((resolve) => {
        const settle = () => {
          for (const name of settling) stdout.off(name, settle)
          draining = null
          resolve()
        }
        for (const name of settling) stdout.on(name, settle)
      })
      return draining
    },
    message: (text) => {
      if (!quiet && !json) stderr.write(`${plainText(text)}\n`)
    },
    warning: (text) => {
      if (!json) stderr.write(`${style('yellow', plainText(text))}\n`)
    },
    failure: (lines) => stderr.write(`${lines.join('\n')}\n`),
    style,
  }
}
