import { spawn } from 'node:child_process'

/** Opens an address in the browser of whoever sits here. On a machine without one nothing happens. */
export function browse(url: string): void {
  const [program, ...before] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler']
        : ['xdg-open']
  const child = spawn(program, [...before, url], { stdio: 'ignore', detached: true })
  // There may be no such program: the address stands on the screen all the same.
  child.on('error', () => undefined)
  child.unref()
}

/** Hands a text to the clipboard through the terminal (OSC 52), which works over ssh as well. */
export function copy(text: string, stdout: NodeJS.WriteStream): void {
  stdout.write(`\u001B]52;c;${Buffer.from(text).toString('base64')}\u0007`)
}
