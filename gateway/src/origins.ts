const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Which `Origin` a browser may send. The console's alone; where the console is on loopback, its other spellings count
 * as well, for they are the same machine and the address bar may hold any of them.
 */
export function createOriginCheck(consoleOrigin: string): (origin: string | undefined) => boolean {
  const { hostname, host, protocol } = new URL(consoleOrigin)
  const port = host.slice(hostname.length)
  const allowed = new Set([`${protocol}//${host}`])
  if (loopback.has(hostname)) {
    for (const name of loopback) allowed.add(`${protocol}//${name}${port}`)
  }
  // Programs that are no browser send none.
  return (origin) => origin === undefined || allowed.has(origin)
}
