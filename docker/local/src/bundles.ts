import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { EngineError } from '@sluice/kit/engines'

/** A program that is built before it runs: which files it is made of, what makes it, what comes out. */
interface Bundle {
  name: string
  sources: string[]
  command: string[]
  result: string
}

const bundles: Bundle[] = [
  {
    name: 'console',
    sources: [
      'console/{src,public}/**/*',
      'console/*.{ts,html,json}',
      'schema/*.ts',
      'package-lock.json',
    ],
    command: ['node_modules/vite/bin/vite.js', 'build', 'console', '--logLevel', 'warn'],
    result: 'console/dist/index.html',
  },
  {
    name: 'command line program',
    sources: [
      'agent/src/**/*',
      'agent/*.{ts,json}',
      'relay/wire/src/**/*',
      'schema/**/*.ts',
      'package-lock.json',
    ],
    command: ['agent/build.ts'],
    result: 'agent/dist/sluice.js',
  },
]

/** Builds the console and the command line program if their sources changed since the last start. */
export async function buildBundles(options: {
  root: string
  signal: AbortSignal
  onBuild: (name: string) => void
}): Promise<void> {
  for (const bundle of bundles) {
    const stamp = join(options.root, dirname(bundle.result), '.built')
    const wanted = digestOf(options.root, bundle)
    const built = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
    if (built && existsSync(join(options.root, bundle.result))) continue
    options.onBuild(bundle.name)
    await build(bundle, options.root, options.signal)
    writeFileSync(stamp, wanted)
  }
}

function digestOf(root: string, bundle: Bundle): string {
  const hash = createHash('sha256')
  const files = globSync(bundle.sources, {
    cwd: root,
    withFileTypes: true,
    exclude: ['**/node_modules/**', '**/dist/**'],
  })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.toSorted()) hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}

async function build(bundle: Bundle, root: string, signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, bundle.command, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const abort = () => child.kill('SIGKILL')
  signal.addEventListener('abort', abort, { once: true })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const status = await new Promise((resolve) => child.once('close', resolve))
  signal.removeEventListener('abort', abort)
  signal.throwIfAborted()
  if (status !== 0) {
    throw new EngineError(`The ${bundle.name} could not be built:\n${output.trim().slice(-2_000)}`)
  }
}
