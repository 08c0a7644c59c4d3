import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { replaceFile } from './config-file.ts'
import type { Settings } from './config.ts'
import { openTunnel, type OpenTunnel, type OpenTunnelOptions } from './open-tunnel.ts'
import { listTunnels, type ListedTunnel } from './tunnel-list.ts'

/** More targets than anybody serves from one machine; what was not used for longest is forgotten. */
const targetsMax = 100
/** So many agents that serve the same at once each get their name back. */
const namesOfTargetMax = 10
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
  const remembered = await readNames(path)
  const names = remembered.get(key) ?? []
  const tunnels = names.length === 0 ? [] : await findTunnels(api, names)
  const idle = tunnels.find(({ status }) => status !== 'ONLINE')
  const tunnel = await openTunnel(
    idle ? { ...options, input: { ...input, name: idle.name } } : options,
  )
  if (!names.includes(tunnel.name)) {
    const kept = names.filter((name) => tunnels.some((each) => each.name === name))
    remembered.delete(key)
    remembered.set(key, [...kept, tunnel.name].slice(-namesOfTargetMax))
    await writeNames(path, remembered)
  }
  return tunnel
}

/** Those of the names that still stand for a tunnel. What cannot be told counts as none: the server then chooses a name. */
async function findTunnels(
  api: OpenTunnelOptions['api'],
  names: readonly string[],
): Promise<ListedTunnel[]> {
  const found: ListedTunnel[] = []
  try {
    for await (const tunnel of listTunnels(api)) {
      if (names.includes(tunnel.name)) found.push(tunnel)
      if (found.length === names.length) break
    }
    return found.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name))
  } catch {
    // An authtoken need not be allowed to list tunnels; whatever else is wrong, the start meets, too.
    return []
  }
}

async function readNames(path: string): Promise<Map<string, string[]>> {
  try {
    const text = await readFile(path, 'utf8')
    const value: unknown = text.length > fileBytesMax ? {} : JSON.parse(text)
    const entries = Object.entries(value ?? {}).filter(
      (entry): entry is [string, string[]] =>
        Array.isArray(entry[1]) && entry[1].every((name) => typeof name === 'string'),
    )
    return new Map(entries)
  } catch {
    // None yet, or one that is not ours: it is written anew.
    return new Map()
  }
}

/** A folder that cannot be written costs the address of the next start, not the tunnel. */
async function writeNames(path: string, names: ReadonlyMap<string, string[]>): Promise<void> {
  const kept = Object.fromEntries([...names].slice(-targetsMax))
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await replaceFile(path, `${JSON.stringify(kept, null, 2)}\n`)
  } catch {
    // As said above.
  }
}
