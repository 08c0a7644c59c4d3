import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { SluiceError } from '@sluice/schema/errors'
import { stringify } from 'yaml'

import { reasonOf } from '../config-file.ts'
import { importFrpc } from '../import/import-frpc.ts'
import { importNgrok } from '../import/import-ngrok.ts'
import type { Imported } from '../import/imported.ts'
import type { Output } from '../output.ts'
import { projectVersion } from '../project/shape.ts'

const fileBytesMax = 1024 * 1024

export interface ImportFlags {
  readonly out?: string
  readonly force?: boolean
}

/** Turns the file of another tunnel program into a project file, and says what could not be turned. */
export async function runImport(
  file: string,
  { out, force }: ImportFlags,
  output: Output,
): Promise<void> {
  const text = read(file)
  const imported = /\.toml$/i.test(file) ? importFrpc(text, file) : importNgrok(text, file)
  const project = projectText(imported, file)
  const { notes, tunnels } = imported
  if (out !== undefined) await write(out, project, force === true)
  if (output.json) {
    output.event({ event: 'imported', file, out: out ?? null, tunnels, notes, project })
    return
  }
  if (out === undefined) output.result(project.trimEnd())
  else output.message(`Wrote ${out} with ${Object.keys(tunnels).length} tunnels.`)
  for (const { line, key, message } of notes) output.warning(`${file}:${line}: ${key} ${message}`)
  if (out !== undefined) output.message(`Next: sluice config check ${out}`)
}

function read(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const reason = reasonOf(error)
    throw new SluiceError('SLUICE_CONFIG_NOT_READ', { path: file, reason }, { cause: error })
  }
  if (text.length <= fileBytesMax) return text
  throw new SluiceError('SLUICE_CONFIG_NOT_READ', { path: file, reason: 'it is too large' })
}

export function projectText({ agent, tunnels }: Imported, file: string): string {
  const values = {
    version: projectVersion,
    ...(Object.keys(agent).length > 0 ? { agent } : {}),
    tunnels,
  }
  return `# From ${file}. Check it with: sluice config check\n${stringify(values)}`
}

async function write(file: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(resolve(file), text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    const reason = isThere
      ? `${file} exists; --force overwrites it.`
      : `${file} cannot be written: ${reasonOf(error)}.`
    throw new SluiceError('SLUICE_USAGE', { reason, command: 'import' }, { cause: error })
  }
}
