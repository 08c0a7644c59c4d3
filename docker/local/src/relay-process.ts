import { spawn, type ChildProcess } from 'node:child_process'

import { EngineError } from '@sluice/kit/engines'

import { noteProcess } from './instance.ts'

const readyTimeoutMs = 20_000
const restartMsMax = 2_000
const stopTimeoutMs = 35_000

/**
 * Runs the relay as a process of its own, as in production. One that ends unasked is started again, so that tunnels
 * come back by themselves.
 */
export async function openRelayProcess(options: {
  root: string
  dataFolder: string
  /** All of its environment: no secret of another part comes along. */
  env: NodeJS.ProcessEnv
  adminPort: number
  /** Whether agents are sent to it: the relay serves before that, but nobody could open a tunnel. */
  isKnown: () => Promise<boolean>
  signal: AbortSignal
  onRestart: () => void
}): Promise<{ close(): Promise<void> }> {
  let output = ''
  let closing = false
  let restartMs = 100
  let child = start()

  function start(): ChildProcess {
    const relay = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'relay/src/main.ts'],
      {
        cwd: options.root,
        env: options.env,
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      },
    )
    if (relay.pid) noteProcess(options.dataFolder, 'relay', relay.pid)
    relay.stdout?.on('data', (chunk: Buffer) => {
      process.stderr.write(chunk)
      output = (output + chunk.toString()).slice(-2_000)
    })
    const startedAt = Date.now()
    relay.once('exit', () => {
      if (closing) return
      if (Date.now() - startedAt > 10_000) restartMs = 100
      options.onRestart()
      setTimeout(() => {
        if (!closing) child = start()
      }, restartMs)
      restartMs = Math.min(restartMs * 2, restartMsMax)
    })
    return relay
  }

  const deadline = Date.now() + readyTimeoutMs
  while (!(await isReady(options.adminPort)) || !(await options.isKnown())) {
    options.signal.throwIfAborted()
    if (Date.now() > deadline) {
      closing = true
      child.kill('SIGKILL')
      throw new EngineError(
        `The relay did not get ready within ${readyTimeoutMs / 1000} s: ${output.trim().split('\n').at(-1)}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  return {
    async close() {
      closing = true
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
      await gone
      clearTimeout(force)
    },
  }
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`, {
      signal: AbortSignal.timeout(1_000),
    })
    return response.ok
  } catch {
    return false
  }
}
