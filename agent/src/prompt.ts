import { Interrupted } from './problem.ts'

/** More than any authtoken; a file piped in by mistake is not read to its end. */
const lineBytesMax = 4096

/** The first line of a stream, without waiting for its end. */
export async function readLine(
  stdin: NodeJS.ReadableStream & { destroy?: () => void },
  signal: AbortSignal,
): Promise<string> {
  let text = ''
  const stop = () => stdin.destroy?.()
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of stdin) {
      text += String(chunk)
      if (text.includes('\n') || text.length > lineBytesMax) break
    }
  } catch (error) {
    if (signal.aborted) throw new Interrupted()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
  return text.split('\n')[0] ?? ''
}

interface PromptIo {
  readonly stdin: NodeJS.ReadStream
  readonly stderr: NodeJS.WriteStream
  readonly signal: AbortSignal
  interrupt(): void
  onExit(restore: () => void): () => void
}

/** Asks on the terminal; what is typed or pasted is not shown. */
export function readSecret(question: string, io: PromptIo): Promise<string> {
  const { stdin, stderr, signal } = io
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  const takeBack = io.onExit(() => stdin.setRawMode(false))

  return new Promise((resolve, reject) => {
    let typed = ''
    const finish = (settle: () => void) => {
      stdin.off('data', onData)
      signal.removeEventListener('abort', onAbort)
      stdin.setRawMode(false)
      stdin.pause()
      takeBack()
      stderr.write('\n')
      settle()
    }
    const onAbort = () => finish(() => reject(new Interrupted()))
    const onData = (chunk: string) => {
      for (const key of withoutPasteMarks(chunk)) {
        if (key === '\r' || key === '\n') return finish(() => resolve(typed))
        if (key === '\u0003' || key === '\u0004') {
          finish(() => reject(new Interrupted()))
          return io.interrupt()
        }
        if (key === '\u007F' || key === '\b') typed = typed.slice(0, -1)
        else if (key === '\u0015') typed = ''
        else if (key >= ' ' && typed.length < lineBytesMax) typed += key
      }
    }
    stdin.on('data', onData)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** Terminals wrap what is pasted in `ESC [200~` and `ESC [201~`; arrow keys are escapes too. */
function withoutPasteMarks(chunk: string): string {
  // oxlint-disable-next-line no-control-regex -- an escape sequence begins with one
  return chunk.replaceAll(/\u001B\[[0-9;]*[~A-Za-z]/g, '')
}
