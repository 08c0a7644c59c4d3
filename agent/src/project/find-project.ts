import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { configPath } from '../config-file.ts'

const fileNames = ['sluice.yml', 'sluice.yaml']

/** Where a project file is looked for, in this order: here, then beside the saved authtoken. */
export function projectPaths(env: NodeJS.ProcessEnv, folder: string): readonly string[] {
  return [folder, dirname(configPath(env))].flatMap((each) =>
    fileNames.map((name) => join(each, name)),
  )
}

/** The project file to use: the named one, else the first that exists. */
export function findProject(
  named: string | undefined,
  env: NodeJS.ProcessEnv,
  folder: string,
): string | null {
  if (named !== undefined) return resolve(folder, named)
  return projectPaths(env, folder).find((path) => existsSync(path)) ?? null
}
