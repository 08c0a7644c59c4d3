import { runCommandLine } from './cli.ts'
import type { Io } from './commands/context.ts'
import { readSettings } from './config.ts'
import { exitCodes } from './exit-code.ts'
import { createOutput } from './output.ts'
import { Interrupted, printProblem, shownProblemOf } from './problem.ts'

const { env, stdin, stdout, stderr } = process
const argv = process.argv.slice(2)
const end = argv.indexOf('--')
const flags = new Set(end < 0 ? argv : argv.slice(0, end))

const output = createOutput({
  stdout,
  stderr,
  json: flags.has('--json'),
  quiet: flags.has('--quiet') || flags.has('-q'),
  color: stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb' && !flags.has('--no-color'),
})

const stop = new AbortController()
let endCode: number = exitCodes.ok
/** The first wish to stop lets what is in flight finish, the second does not. */
function quit(): void {
  if (stop.signal.aborted) process.exit(exitCodes.interrupted)
  stop.abort(new Interrupted())
}
/** Ctrl-C also ends the shell's loop or `&&` around the program: shells look for this code. */
function interrupt(): void {
  endCode = exitCodes.interrupted
  quit()
}
process.on('SIGINT', interrupt)
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, quit)

stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of our output has gone, as `| head` or a closed window does: a wish to stop. A full disk is not.
  if (error.code !== 'EPIPE' && error.code !== 'EIO') fail(error)
  if (!stop.signal.aborted) quit()
})
// Whoever reads remarks or types keys has gone with the terminal: the signal or stdout says so.
for (const stream of [stdin, stderr]) stream.on('error', () => undefined)

/** Known once the settings are read. */
let server: string | null = null

/** What gives the terminal back, in whatever way the program ends. */
const restores = new Set<() => void>()
function restoreTerminal(): void {
  for (const restore of restores) restore()
  restores.clear()
}
process.on('exit', restoreTerminal)

const io: Io = {
  stdin,
  stdout,
  stderr,
  env,
  signal: stop.signal,
  useServer(chosen) {
    server = chosen
  },
  quit,
  interrupt,
  onExit(restore) {
    restores.add(restore)
    return () => restores.delete(restore)
  },
}

function fail(error: unknown): never {
  restoreTerminal()
  if (error instanceof Interrupted) process.exit(exitCodes.interrupted)
  const problem = shownProblemOf(error, server)
  printProblem(problem, output)
  if (env['SLUICE_DEBUG'] && error instanceof Error) stderr.write(`${error.stack}\n`)
  process.exit(problem.exitCode)
}
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

try {
  await runCommandLine(argv, io, output)
  process.exit(endCode)
} catch (error) {
  server ??= await findServer()
  fail(error)
}

/** For a failure that came before a command had its settings: its page is at the server that others would use. */
async function findServer(): Promise<string | null> {
  try {
    return (await readSettings({}, env)).server
  } catch {
    return null
  }
}
