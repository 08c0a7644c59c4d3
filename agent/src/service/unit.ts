/** Settings of a systemd unit that runs the agent. */
export interface UnitOptions {
  readonly scope: 'user' | 'system'
  /** Node and the program. */
  readonly command: readonly string[]
  /** The project file. */
  readonly file: string
  /** Where it starts, so that relative paths mean the same as by hand. */
  readonly folder: string
  /** Of a system unit: who it runs as, never root by accident. */
  readonly user?: string | undefined
  /** Variables that the project file names, one NAME=value per line; it may be missing. */
  readonly variables: string
  /** Where the configuration folder lies, when that is not the default. */
  readonly configHome?: string | undefined
}

/** Ends that starting again cannot cure: command line, credential, refusal, ended by somebody else. */
const finalExitCodes = [2, 3, 4, 7]

/** What needs no privileges, and so works in a user’s own manager as well. */
const hardening = [
  'NoNewPrivileges=yes',
  'LockPersonality=yes',
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'SystemCallArchitectures=native',
  'UMask=0077',
]

/** What only the system’s manager may take away. The program writes nothing while it runs. */
const systemHardening = [
  'CapabilityBoundingSet=',
  'PrivateDevices=yes',
  'PrivateTmp=yes',
  'ProtectClock=yes',
  'ProtectControlGroups=yes',
  'ProtectHome=read-only',
  'ProtectHostname=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
  'ProtectSystem=strict',
]

/** The text of the unit. It holds no credential: the program reads its own 0600 file. */
export function unitText(options: UnitOptions): string {
  const { scope, command, file, folder, user, variables, configHome } = options
  const words = [...command, 'start', '--all', '--quiet', '--config', file]
  const lines = [
    '[Unit]',
    'Description=Sluice tunnels',
    'Documentation=https://docs.sluice.dev/cli',
    'Wants=network-online.target',
    'After=network-online.target',
    '',
    '[Service]',
    'Type=exec',
    `ExecStart=${words.map(quoted).join(' ')}`,
    `WorkingDirectory=${folder.replaceAll('%', '%%')}`,
    `EnvironmentFile=-${variables.replaceAll('%', '%%')}`,
    ...(configHome === undefined ? [] : [`Environment=${quoted(`XDG_CONFIG_HOME=${configHome}`)}`]),
    ...(user === undefined ? [] : [`User=${user}`]),
    'Restart=always',
    'RestartSec=5',
    `RestartPreventExitStatus=${finalExitCodes.join(' ')}`,
    'TimeoutStopSec=20',
    ...hardening,
    ...(scope === 'system' ? systemHardening : []),
    '',
    '[Install]',
    `WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}`,
  ]
  return `${lines.join('\n')}\n`
}

/** One word of a command line as systemd reads it: quotes, specifiers and variables lose their meaning. */
function quoted(word: string): string {
  const escaped = word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')
  return /^[\w@%+=:,./-]+$/.test(word) ? escaped : `"${escaped}"`
}
