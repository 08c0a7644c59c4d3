import { SluiceError } from '@sluice/schema/errors'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'

import type { CommandContext, Io } from './commands/context.ts'
import type { ImportFlags } from './commands/import.ts'
import type { LogsFlags } from './commands/logs.ts'
import type { PortFlags, PortKind } from './commands/port.ts'
import type { ServiceFlags } from './commands/service.ts'
import type { StartFlags } from './commands/start.ts'
import { readSettings, type GlobalFlags, type ProjectSettings } from './config.ts'
import { examples } from './help.ts'
import type { Output } from './output.ts'
import { looksLikeTarget } from './target.ts'
import type { HttpFlags } from './tunnel-input.ts'
import { version } from './version.ts'

const logLinesDefault = 20
/** One page of the graph. */
const logLinesMax = 100

/** Runs one command line. Throws what went wrong; `main.ts` prints it. */
export async function runCommandLine(
  argv: readonly string[],
  io: Io,
  output: Output,
): Promise<void> {
  const program = createProgram(io, output)
  try {
    await program.parseAsync(withCommand(argv, program), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return
    if (error.code === 'commander.help') {
      // No command at all is a question, not a mistake.
      program.outputHelp()
      return
    }
    throw usageError(error, argv, program)
  }
}

/** `sluice 3000` is `sluice http 3000`: a first word that can only be a target needs no command. */
function withCommand(argv: readonly string[], program: Command): string[] {
  const takesValue = new Set(['--server', '--ca', '--proxy'])
  const at = argv.findIndex(
    (word, index) => !word.startsWith('-') && !takesValue.has(argv[index - 1] ?? ''),
  )
  const word = argv[at]
  if (word === undefined || !looksLikeTarget(word)) return [...argv]
  if (program.commands.some((command) => command.name() === word)) return [...argv]
  return [...argv.slice(0, at), 'http', ...argv.slice(at)]
}

function createProgram(io: Io, output: Output): Command {
  const program = new Command('sluice')
  program
    .description('Puts a service on this machine on a public address.')
    .version(`sluice ${version}`, '-V, --version', 'say which release this is')
    .option('--server <url>', 'the Sluice server (SLUICE_SERVER)')
    .option('--ca <file>', 'PEM certificates to trust instead of the system’s (SLUICE_CA_FILE)')
    .option('--proxy <url>', 'HTTP CONNECT proxy to the server and relay (HTTPS_PROXY)')
    .option('--json', 'JSON on stdout, one value per line')
    .option('-q, --quiet', 'results and failures only')
    .option('--no-color', 'no colours (NO_COLOR)')
    .helpOption('-h, --help', 'show help')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // Failures are thrown, and printed in one place only.
      writeErr: () => undefined,
      outputError: () => undefined,
    })
    .exitOverride()
    .addHelpText('before', examples.sluice)

  const open: Open = (command, project) => openContext(command, io, output, project)
  addHttp(program, open)
  addPorts(program, open)
  addProject(program, open, io, output)
  addService(program, open, io, output)
  addAccount(program, open)
  addLists(program, open)
  program
    .command('completion')
    .description('print what a shell reads to complete commands and options')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) =>
      (await import('./commands/completion.ts')).runCompletion(shell, program, output),
    )
  program
    .command('version')
    .description('say which release this is')
    .action(async () => (await import('./commands/version.ts')).runVersion(output))
  return program
}

type Open = (command: Command, project?: ProjectSettings) => Promise<CommandContext>

async function openContext(
  command: Command,
  io: Io,
  output: Output,
  project?: ProjectSettings,
): Promise<CommandContext> {
  const settings = await readSettings(command.optsWithGlobals<GlobalFlags>(), io.env, project)
  io.useServer(settings.server)
  if (settings.movedTo) {
    output.warning(
      `The configuration file could not be read and was moved to ${settings.movedTo}. Log in again.`,
    )
  }
  return { settings, output, io }
}

function addHttp(program: Command, open: Open): void {
  program
    .command('http')
    .description('open a tunnel to a local HTTP service')
    .argument('<target>', 'port, host:port, http(s)://host:port, or h2c://host:port')
    .option(
      '--name <name>',
      'the name in the public address; without it that of the last time, or a free one',
    )
    .option(
      '--basic-auth <user:password>',
      'ask visitors for it; @file or env:NAME keep it out of the process list (repeatable)',
      collect,
    )
    .option('--allow-ip <cidr>', 'let in visitors from here only (repeatable)', collect)
    .option('--deny-ip <cidr>', 'keep out visitors from here (repeatable)', collect)
    .option(
      '--rate-limit <rate>',
      'requests over all relays: 50/s, 100/m, or 50/s:200 with a burst',
    )
    .option('--bandwidth <bytes>', 'bytes per second, both directions together: 500kb, 10mb')
    .option('--request-header <header>', "add 'Name: value' to requests (repeatable)", collect)
    .option('--response-header <header>', "add 'Name: value' to responses (repeatable)", collect)
    .option('--remove-request-header <name>', 'take it from requests (repeatable)', collect)
    .option('--remove-response-header <name>', 'take it from responses (repeatable)', collect)
    .option('--compress', 'compress text that the service sends as it is')
    .option(
      '--verify-webhook <provider>',
      'let in only what stripe, github, slack, shopify, razorpay or paypal has signed; the secret comes from SLUICE_WEBHOOK_SECRET, PROVIDER=env:NAME, PROVIDER=@file, or a prompt',
    )
    .option(
      '--visitor-ca <file>',
      'ask visitors for a certificate that one of these has signed (PEM; over HTTPS only)',
    )
    .option('--host-header <value>', 'Host sent to the service: preserve, rewrite, or a name')
    .addOption(
      new Option(
        '--upstream-protocol <protocol>',
        'what the service speaks; http2 is for gRPC, too',
      ).choices(['http1', 'http2']),
    )
    .addOption(proxyProtocolOption())
    .option('--region <region>', 'where the relay stands; without it the nearest that is ready')
    .option('--pooling', 'serve together with other agents that say so, instead of taking over')
    .option(
      '--allow-target <cidr>',
      'forward to this address although it is link-local or a metadata service (repeatable)',
      collect,
    )
    .addOption(
      new Option('--inspect-port <port>', 'where the local inspector page listens').argParser(
        parsePort,
      ),
    )
    .option('--no-inspect', 'no local inspector page, and nothing is captured')
    .addHelpText('before', examples.http)
    .action(async (target: string, flags: HttpFlags, command: Command) =>
      (await import('./commands/http.ts')).runHttp(target, flags, await open(command)),
    )
}

/** Tunnels of bytes and datagrams. */
function addPorts(program: Command, open: Open): void {
  const kinds: readonly [PortKind, string, string][] = [
    ['TCP', 'open a tunnel to a local TCP service, at a public port', 'port or host:port'],
    [
      'TLS',
      'open a tunnel to a local TLS service, which keeps its certificate',
      'port or host:port',
    ],
    ['UDP', 'open a tunnel to a local UDP service, at a public port', 'port or host:port'],
  ]
  for (const [kind, description, target] of kinds) {
    const name = kind.toLowerCase() as Lowercase<PortKind>
    const command = program
      .command(name)
      .description(description)
      .argument('<target>', target)
      .option(
        '--name <name>',
        'the name of the tunnel; without it that of the last time, or a free one',
      )
      .option('--allow-ip <cidr>', 'let in visitors from here only (repeatable)', collect)
      .option('--deny-ip <cidr>', 'keep out visitors from here (repeatable)', collect)
      .option('--rate-limit <rate>', 'new connections over all relays: 50/s, 100/m, 50/s:200')
      .option('--bandwidth <bytes>', 'bytes per second, both directions together: 500kb, 10mb')
      .option('--region <region>', 'where the relay stands; without it the nearest that is ready')
      .option('--pooling', 'serve together with other agents that say so, instead of taking over')
      .option(
        '--allow-target <cidr>',
        'forward to this address although it is link-local or a metadata service (repeatable)',
        collect,
      )
      .addHelpText('before', examples[name])
      .action(async (text: string, flags: PortFlags, action: Command) =>
        (await import('./commands/port.ts')).runPort(kind, text, flags, await open(action)),
      )
    if (kind !== 'TLS') {
      command.addOption(
        new Option('--port <port>', 'the public port; without it a free one').argParser(parsePort),
      )
    }
    if (kind !== 'UDP') command.addOption(proxyProtocolOption())
  }
}

function addProject(program: Command, open: Open, io: Io, output: Output): void {
  program
    .command('start')
    .description('open tunnels of the project file, and follow it as it is saved')
    .argument('[names...]', 'which of them')
    .option('--all', 'all of them')
    .option(
      '--config <file>',
      'the project file; without it sluice.yml here or in the configuration folder',
    )
    .addHelpText('before', examples.start)
    .action(async (names: string[], flags: StartFlags, command: Command) => {
      const { openProject, runStart } = await import('./commands/start.ts')
      const project = openProject(flags.config, io.env)
      return runStart(project, names, flags, await open(command, project.agent))
    })
  const config = program.command('config').description('check the project file')
  config
    .command('check')
    .description('say all that is wrong with a project file, with line and column')
    .argument('[file]', 'without it the one that sluice start would take')
    .action(async (file: string | undefined) =>
      (await import('./commands/config.ts')).runConfigCheck(file, io.env, output),
    )
  config
    .command('path')
    .description('say which files count')
    .action(async () => (await import('./commands/config.ts')).runConfigPath(io.env, output))
  config
    .command('schema')
    .description('print the JSON Schema of the project file, for editors')
    .action(async () => (await import('./commands/config.ts')).runConfigSchema(output))
}

function addService(program: Command, open: Open, io: Io, output: Output): void {
  program
    .command('import')
    .description('turn ngrok.yml or frpc.toml into a project file')
    .argument('<file>', 'ngrok.yml of version 2 or 3, or frpc.toml')
    .option('--out <file>', 'write it here; without it to stdout')
    .option('--force', 'overwrite the file')
    .action(async (file: string, flags: ImportFlags) =>
      (await import('./commands/import.ts')).runImport(file, flags, output),
    )
  const service = program
    .command('service')
    .description('let systemd keep the tunnels of the project file open')
  const scoped = (name: string, about: string) =>
    service
      .command(name)
      .description(about)
      .option('--system', 'for the machine, not for you alone')
  scoped('install', 'write the unit, and start it now and at every boot')
    .option('--config <file>', 'the project file')
    .option('--run-as <user>', 'of a system service: who it runs as')
    .option('--print', 'only show the unit')
    .action(async (flags: ServiceFlags, command: Command) => {
      const { openProject } = await import('./commands/start.ts')
      const project = openProject(flags.config, io.env)
      const { runServiceInstall } = await import('./commands/service.ts')
      return runServiceInstall(project, flags, await open(command, project.agent))
    })
  scoped('uninstall', 'stop the service and remove the unit').action(async (flags: ServiceFlags) =>
    (await import('./commands/service.ts')).runServiceUninstall(flags, { output, io }),
  )
  scoped('status', 'say whether the service runs').action(async (flags: ServiceFlags) =>
    (await import('./commands/service.ts')).runServiceStatus(flags, { output, io }),
  )
}

function addAccount(program: Command, open: Open): void {
  program
    .command('login')
    .description('check an authtoken and remember it')
    .addHelpText('before', examples.login)
    .action(async (_flags: object, command: Command) =>
      (await import('./commands/login.ts')).runLogin(await open(command)),
    )
  program
    .command('logout')
    .description('forget the authtoken of the server')
    .action(async (_flags: object, command: Command) =>
      (await import('./commands/logout.ts')).runLogout(await open(command)),
    )
  program
    .command('doctor')
    .description('check all that a tunnel needs, with the command that mends each failure')
    .action(async (_flags: object, command: Command) =>
      (await import('./commands/doctor.ts')).runDoctor(await open(command)),
    )
  program
    .command('status')
    .description('say whether the server answers, who is logged in, how the tunnels are')
    .action(async (_flags: object, command: Command) =>
      (await import('./commands/status.ts')).runStatus(await open(command)),
    )
}

function addLists(program: Command, open: Open): void {
  program
    .command('tunnels')
    .description('list the tunnels of the organization')
    .action(async (_flags: object, command: Command) =>
      (await import('./commands/tunnels.ts')).runTunnels(await open(command)),
    )
  program
    .command('logs')
    .description('show requests that came through the tunnels')
    .option('-f, --follow', 'go on with those to come')
    .option('--tunnel <name>', 'of this tunnel only')
    .addOption(
      new Option('-n, --limit <requests>', `how many of the past (0 to ${logLinesMax})`)
        .default(logLinesDefault)
        .argParser(parseLimit),
    )
    .addHelpText('before', examples.logs)
    .action(async (flags: LogsFlags, command: Command) =>
      (await import('./commands/logs.ts')).runLogs(flags, await open(command)),
    )
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value]
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536) return Number(text)
  throw new InvalidArgumentError('It is a number from 1 to 65535.')
}

function proxyProtocolOption(): Option {
  return new Option(
    '--proxy-protocol <version>',
    'tell the service who the visitor is before all other bytes: 1 (text) or 2 (binary)',
  ).argParser(parseProxyProtocol)
}

function parseProxyProtocol(text: string): 1 | 2 {
  if (text === '1' || text === '2') return text === '1' ? 1 : 2
  throw new InvalidArgumentError('It is 1 or 2.')
}

function parseLimit(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= logLinesMax) return Number(text)
  throw new InvalidArgumentError(`It is a number from 0 to ${logLinesMax}.`)
}

/** Commander's complaint in the words of the catalogue. */
function usageError(error: CommanderError, argv: readonly string[], program: Command): SluiceError {
  const [first = '', ...more] = error.message.replace(/^error: /, '').split('\n')
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1).replace(/\.$/, '')}.`
  const reason = [sentence, ...more].join(' ').trim()
  const known = argv.find((word) => program.commands.some((command) => command.name() === word))
  if (error.code === 'commander.unknownCommand') {
    return new SluiceError('SLUICE_COMMAND_UNKNOWN', { reason })
  }
  return new SluiceError('SLUICE_USAGE', { reason, command: known ?? '' })
}
