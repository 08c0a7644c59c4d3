import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { replaceFile } from './config-file.ts'
import type { Settings } from './config.ts'
import { openTunnel, type OpenTunnel, type OpenTunnelOptions } from './open-tunnel.ts'
import { listTunnels } from './tunnel-list.ts'

/** More targets than anybody serves from one machine; what was not used for longest is forgotten. */
const namesMax = 100
const fileBytesMax = 64 * 1024

/**
 * Opens a tunnel. When no name is asked for, it is the one that the server chose when the same was last served from here, so
 * that the address stays and starting again does not use up the tunnels of the plan.
 */
export async function openAgain(
  { configPath, server }: Pick<Settings, 'configPath' | 'server'>,
  /** Such as `http://localhost:3000`: what is served under one name. */
  served: string,
  options: OpenTunnelOptions,
): Promise<OpenTunnel> {
  const { input, api } = options
  if (input.name !== undefined || input.pooling) return openTunnel(options)
  const path = join(dirname(configPath), 'names.json')
  const key = `${server} ${served}`
  const names = await readNames(path)
  const before = names.get(key)
  const isFree = before !== undefined && (await isIdle(api, before))
  const tunnel = await openTunnel(
    isFree ? { ...options, input: { ...input, name: before } } : options,
  )
  if (tunnel.name !== before) await writeNames(path, names, key, tunnel.name)
  return tunnel
}

/** Whether the tunnel still exists and nobody serves it. What cannot be told counts as no: the server then chooses a name. */
async function isIdle(api: OpenTunnelOptions['api'], name: string): Promise<boolean> {
  try {
    for await (const tunnel of listTunnels(api)) {
      if (tunnel.name === name) return tunnel.status !== 'ONLINE'
    }
  } catch {
    // An authtoken need not be allowed to list tunnels; whatever else is wrong, the start meets, too.
  }
  return false
}

async function readNames(path: string): Promise<Map<string, string>> {
  try {
    const text = await readFile(path, 'utf8')
    const value: unknown = text.length > fileBytesMax ? {} : JSON.parse(text)
    const entries = Object.entries(value ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    )
    return new Map(entries)
  } catch {
    // None yet, or one that is not ours: it is written anew.
    return new Map()
  }
}

/** A folder that cannot be written costs the address of the next start, not the tunnel. */
async function writeNames(
  path: string,
  names: Map<string, string>,
  key: string,
  name: string,
): Promise<void> {
  names.delete(key)
  const kept = [...names, [key, name] as const].slice(-namesMax)
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await replaceFile(path, `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`)
  } catch {
    // As said above.
  }
}
