import { SluiceError } from '@sluice/schema/errors'

import { configPath } from '../config-file.ts'
import type { Output } from '../output.ts'
import { findProject, projectPaths } from '../project/find-project.ts'
import { readProject } from '../project/read-project.ts'
import { projectJsonSchema } from '../project/shape.ts'
import { addressText, targetText } from '../target.ts'
import { invalid } from './start.ts'

/** Checks a project file and says all that is wrong with it. Needs no server. */
export function runConfigCheck(
  named: string | undefined,
  env: NodeJS.ProcessEnv,
  output: Output,
): void {
  const file = findProject(named, env, process.cwd())
  if (file === null) {
    const paths = projectPaths(env, process.cwd()).join(', ')
    throw new SluiceError('SLUICE_PROJECT_NOT_FOUND', { paths })
  }
  const { project, faults } = readProject(file, env)
  if (output.json) output.event({ event: 'checked', file, valid: project !== null, faults })
  if (!project) throw invalid(file, faults)
  if (output.json) return
  output.result(`${file} is valid.`)
  for (const { key, kind, upstream } of project.tunnels) {
    const target = kind === 'http' ? targetText(upstream) : addressText(upstream)
    output.result(`  ${key}  ${kind}  ${target}`)
  }
}

/** Says which files count. */
export function runConfigPath(env: NodeJS.ProcessEnv, output: Output): void {
  const folder = process.cwd()
  const project = findProject(undefined, env, folder)
  const credentials = configPath(env)
  if (output.json) {
    output.event({ project, searched: projectPaths(env, folder), credentials })
    return
  }
  output.result(project ?? `no project file (searched: ${projectPaths(env, folder).join(', ')})`)
  output.result(credentials)
}

/** The JSON Schema of the project file, for editors. */
export function runConfigSchema(output: Output): void {
  output.result(JSON.stringify(projectJsonSchema(), null, 2))
}
