/** Tells a person how the start goes on: one line per part, on stderr, with the time it took. */
export function createReport(write: (line: string) => void, startedAt: number) {
  const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`
  return {
    ready: (part: string) => write(`  ✓ ${part.padEnd(22)} ready  ${seconds()}`),
    note: (text: string) => write(`  · ${text}`),
    failed: (text: string) => write(`\n  ✗ ${text}\n`),
    seconds,
  }
}

export interface Welcome {
  consoleUrl: string
  firstAdmin: { email: string; password: string } | null
  cli: string
  /** Whether the CLI finds the console without being told where. */
  isDefaultServer: boolean
  seconds: string
  residentMb: number | null
}

/** What a person needs after a start: where the console is, how to sign in, how to open the first tunnel. */
export function welcomeText(welcome: Welcome): string {
  const { consoleUrl, firstAdmin, cli, isDefaultServer, seconds, residentMb } = welcome
  const login = isDefaultServer ? `${cli} login` : `${cli} login --server ${consoleUrl}`
  const signIn = firstAdmin
    ? `${firstAdmin.email}  ${firstAdmin.password}   (shown this once)`
    : 'as on the first start, or sign up'
  const memory = residentMb === null ? '' : `, ${residentMb} MB resident`
  return `
  Sluice: ready in ${seconds}${memory}

    Console       ${consoleUrl}
    Sign in       ${signIn}
    First tunnel  ${login}
                  ${cli} http 3000
                  (login asks for an authtoken: create one in the console)

  Ctrl-C stops everything and keeps the data.
`
}
