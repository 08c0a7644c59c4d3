import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

import { expect, test } from 'vitest'

const subgraph = ['kit', 'schema']

/** Who may use whom. `kit` grants every entry of a package, `domains/jobs` that entry alone. */
const mayUse: Record<string, readonly string[]> = {
  schema: [],
  kit: ['schema'],
  'relay/wire': [],
  relay: ['kit', 'schema', 'wire'],
  agent: ['schema', 'wire'],
  'subgraphs/identity': subgraph,
  'subgraphs/tunnels': subgraph,
  'subgraphs/domains': subgraph,
  'subgraphs/billing': subgraph,
  gateway: ['kit', 'schema'],
  'workers/billing': ['kit', 'schema', 'billing/jobs'],
  'workers/certificates': ['kit', 'schema', 'domains/jobs'],
  'workers/inspector': ['kit', 'schema', 'tunnels/jobs'],
  console: ['schema', 'client'],
  // Given to partners: it knows the contract and nothing of the server.
  client: [],
  'docker/local': [
    'kit',
    'schema',
    'client',
    'identity/server',
    'identity/social-config',
    'tunnels/server',
    'domains/server',
    'billing/server',
    'gateway/server',
    'billing-worker/server',
    'certificates-worker/server',
    'inspector-worker/server',
  ],
  // The gateway as a process of its own, to be measured.
  e2e: ['kit', 'schema', 'wire', 'gateway'],
}

const anImport = /(?:from|import)[ (]'(.+?)'/g
const manifestOf = (folder: string) => JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))

/** Folders of other packages that lie inside this one: `relay/wire` in `relay`. */
function nested(folder: string): string[] {
  return Object.keys(mayUse).filter((other) => other.startsWith(`${folder}/`))
}

function offences(folder: string, allowed: readonly string[]): string[] {
  const { dependencies = {}, devDependencies = {} } = manifestOf(folder)
  const declared = { ...dependencies, ...devDependencies }
  const mayImport = (file: string, path: string) => {
    if (path.startsWith('.')) {
      return !relative(folder, join(dirname(file), path)).startsWith('..')
    }
    if (!path.startsWith('@sluice/')) return true
    const [, name = '', entry] = path.split('/')
    const granted = allowed.includes(name) || allowed.includes(`${name}/${entry}`)
    return granted && Object.hasOwn(declared, `@sluice/${name}`)
  }
  const exclude = ['**/node_modules/**', '**/dist/**', ...nested(folder).map((one) => `${one}/**`)]
  return globSync(`${folder}/**/*.{ts,tsx}`, { exclude }).flatMap((file) =>
    Array.from(readFileSync(file, 'utf8').matchAll(anImport), ([, path = '']) => path)
      .filter((path) => !mayImport(file, path))
      .map((path) => `${file} imports ${path}`),
  )
}

test('every package has a row', () => {
  const globs: string[] = manifestOf('.').workspaces
  const packages = globSync(globs.map((glob) => `${glob}/package.json`)).map((file) =>
    dirname(file),
  )
  expect(packages.toSorted()).toEqual(Object.keys(mayUse).toSorted())
})

test.for(Object.entries(mayUse))('%s keeps to its row', ([folder, allowed]) => {
  expect(existsSync(`${folder}/package.json`)).toBe(true)
  expect(offences(folder, allowed)).toEqual([])
})
