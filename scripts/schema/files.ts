import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const rootFolder = fileURLToPath(new URL('../../', import.meta.url))
export const schemaFolder = `${rootFolder}schema`

export const subgraphNames = ['identity', 'tunnels', 'domains', 'billing'] as const
export type SubgraphName = (typeof subgraphNames)[number]

/** A generated file: where it is and what it should hold. */
export interface Generated {
  readonly path: string
  readonly text: string
}

export function isCurrent({ path, text }: Generated): boolean {
  return existsSync(path) && readFileSync(path, 'utf8') === text
}

/** Writes what differs and returns the paths it wrote. */
export function writeGenerated(files: readonly Generated[]): string[] {
  const stale = files.filter((file) => !isCurrent(file))
  for (const { path, text } of stale) writeFileSync(path, text)
  return stale.map(({ path }) => shown(path))
}

/** A path as a person at the root of the clone writes it. */
export function shown(path: string): string {
  return relative(rootFolder, path)
}
