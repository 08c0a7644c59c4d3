import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

import { SluiceError } from '@sluice/schema/errors'

/** What `sluice login` remembers. An authtoken belongs to one server and is never sent to another. */
export interface SavedConfig {
  readonly version: 1
  /** The server that commands use when none is named. */
  readonly server: string | null
  /** By the origin of the server. */
  readonly servers: Readonly<Record<string, { readonly authtoken: string }>>
}

const emptyConfig: SavedConfig = { version: 1, server: null, servers: {} }

const configBytesMax = 64 * 1024

/** `$XDG_CONFIG_HOME/sluice/config.json`; by the XDG rules a relative value counts as unset. */
export function configPath(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CONFIG_HOME']
  const folder = base?.startsWith('/') ? base : join(env['HOME'] ?? homedir(), '.config')
  return join(folder, 'sluice', 'config.json')
}

/**
 * Reads the file. One that cannot be understood is moved aside, so that the next login starts
 * clean and nothing is lost; `movedTo` says where.
 */
export async function readSavedConfig(
  path: string,
): Promise<{ config: SavedConfig; movedTo: string | null }> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return { config: emptyConfig, movedTo: null }
    throw new SluiceError(
      'SLUICE_CONFIG_NOT_READ',
      { path, reason: reasonOf(error) },
      { cause: error },
    )
  }
  const config = text.length > configBytesMax ? null : parseSavedConfig(text)
  if (config) return { config, movedTo: null }

  const movedTo = `${path}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  try {
    await rename(path, movedTo)
  } catch (error) {
    throw new SluiceError(
      'SLUICE_CONFIG_NOT_SAVED',
      { path, reason: reasonOf(error) },
      { cause: error },
    )
  }
  return { config: emptyConfig, movedTo }
}

/** Writes the file as a whole or not at all. */
export async function writeSavedConfig(path: string, config: SavedConfig): Promise<void> {
  const folder = dirname(path)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // An older folder may have been made with another mode: it is ours alone, so this breaks nobody.
    await chmod(folder, 0o700)
    await replaceFile(path, `${JSON.stringify(config, null, 2)}\n`)
  } catch (error) {
    throw new SluiceError(
      'SLUICE_CONFIG_NOT_SAVED',
      { path, reason: reasonOf(error) },
      { cause: error },
    )
  }
}

/** Readable by its owner only from the first byte on; another program sees the old file or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
    await file.close()
    await rename(temporary, path)
  } catch (error) {
    await file.close()
    await rm(temporary, { force: true })
    throw error
  }
}

/** The file's content as typed, or null when it is not ours. Written by hand: zod would double the program. */
function parseSavedConfig(text: string): SavedConfig | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Not JSON is the same to the caller as JSON of another form.
    return null
  }
  if (!isRecord(value) || value['version'] !== 1 || !isRecord(value['servers'])) return null
  const server = value['server'] ?? null
  if (server !== null && typeof server !== 'string') return null
  const servers: Record<string, { authtoken: string }> = {}
  for (const [origin, entry] of Object.entries(value['servers'])) {
    if (!isRecord(entry) || typeof entry['authtoken'] !== 'string') return null
    servers[origin] = { authtoken: entry['authtoken'] }
  }
  return { version: 1, server, servers }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** Why a file could not be read or written, in words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return String(error)
  const code = String(error.code)
  return fileReasons[code] ?? code
}

const fileReasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'you may not',
  EISDIR: 'it is a folder',
  EROFS: 'the disk takes no changes',
  ENOSPC: 'the disk is full',
}
