/** The CLI that `npm start` builds, as it is run in the folder of the clone. */
export const inClone = 'node agent/dist/sluice.js'

export type CliProgram = 'sluice' | typeof inClone

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]']

/** A server on one's own machine has the CLI beside it; of another, one has installed it. */
export function programAt(hostname: string): CliProgram {
  return loopbackHosts.includes(hostname) ? inClone : 'sluice'
}

/** The line with the program in place of the command word `sluice`, also behind a pipe. */
export function cliLine(line: string, program: CliProgram): string {
  return line.replace(/(^|\| )sluice /, (_whole, before: string) => `${before}${program} `)
}
