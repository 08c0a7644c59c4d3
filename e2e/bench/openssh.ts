import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'

import { unusedPort } from '@sluice/kit/unused-port'

import { untilOpen } from './nginx.ts'
import { childrenOf, keep, stop } from './process.ts'

export interface OpenSsh {
  /** Forwarded to the origin, and to the sink of uploads. */
  readonly port: number
  readonly sinkPort: number
  /** The client, and the server's process for it. */
  readonly pids: readonly number[]
}

function find(program: string): string {
  // Debian keeps the server where only root looks, and it starts by its whole path only.
  const { stdout } = spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${program}`], {
    encoding: 'utf8',
  })
  return stdout.trim()
}

/** A private server with throwaway keys, and a client with `-R` to both upstreams. Undefined, with a word on stderr, where there is no OpenSSH. */
export async function startOpenSsh(
  closing: AsyncDisposableStack,
  folder: string,
  upstreams: { readonly originPort: number; readonly sinkPort: number },
): Promise<OpenSsh | undefined> {
  const [server, client, keygen] = [find('sshd'), find('ssh'), find('ssh-keygen')]
  if (server === '' || client === '' || keygen === '') {
    process.stderr.write(
      'no OpenSSH here, so no figures beside it: install it, for example with `apt-get install openssh-server`\n',
    )
    return undefined
  }
  // Where the server, as root, puts processes that may do nothing.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const home = join(folder, 'ssh')
  mkdirSync(home, { mode: 0o700 })
  const [hostKey, userKey] = [join(home, 'host'), join(home, 'user')]
  for (const key of [hostKey, userKey]) {
    spawnSync(keygen, ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    chmodSync(key, 0o600)
  }
  copyFileSync(`${userKey}.pub`, join(home, 'authorized'))
  const sshPort = await unusedPort()
  const config = join(home, 'config')
  writeFileSync(config, serverConfig(home, sshPort))
  const sshd = keep(spawn(server, ['-D', '-e', '-f', config], { stdio: 'ignore' }))
  closing.defer(() => stop(sshd))
  await untilOpen(sshPort)

  const [port, sinkPort] = [await unusedPort(), await unusedPort()]
  const options = {
    StrictHostKeyChecking: 'no',
    UserKnownHostsFile: '/dev/null',
    ExitOnForwardFailure: 'yes',
    BatchMode: 'yes',
    LogLevel: 'ERROR',
    IdentityFile: userKey,
    Port: sshPort,
  }
  const words = Object.entries(options).map(([name, value]) => `-o${name}=${value}`)
  const forwards = [
    `-R127.0.0.1:${port}:127.0.0.1:${upstreams.originPort}`,
    `-R127.0.0.1:${sinkPort}:127.0.0.1:${upstreams.sinkPort}`,
  ]
  const destination = `${userInfo().username}@127.0.0.1`
  const ssh = keep(
    spawn(client, ['-N', '-Fnone', ...words, ...forwards, destination], {
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  )
  closing.defer(() => stop(ssh))
  await untilOpen(port)
  await untilOpen(sinkPort)
  return { port, sinkPort, pids: [ssh.pid ?? 0, ...descendantsOf(sshd.pid ?? 0)] }
}

function serverConfig(home: string, port: number): string {
  return `
Port ${port}
ListenAddress 127.0.0.1
HostKey ${join(home, 'host')}
AuthorizedKeysFile ${join(home, 'authorized')}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding remote
`
}

function descendantsOf(pid: number): number[] {
  const children = childrenOf(pid)
  return [...children, ...children.flatMap(descendantsOf)]
}
