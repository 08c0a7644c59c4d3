import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { buildSchema, parse, print, validate } from 'graphql'
import { expect, test } from 'vitest'

import { defaultLimits } from './gateway/src/limits.ts'
import { errorAreas, errors } from './schema/errors.ts'
import { webhookEvents } from './schema/webhook-events.ts'
import {
  anchorOf,
  errorPages,
  pagesFolder,
  permissionsPage,
  permissionsPath,
  rootFolder,
  stalePages,
  updateCommand,
} from './scripts/docs.ts'

const pages = errorPages()
const textOf = (path: string) => readFileSync(join(rootFolder, path), 'utf8')
const guides = globSync('docs/**/*.md', { cwd: rootFolder })

test('every code of the catalogue has the page that the script would write', () => {
  const differing = pages
    .filter(({ path, text }) => {
      const file = join(pagesFolder, path)
      return !existsSync(file) || readFileSync(file, 'utf8') !== text
    })
    .map(({ path }) => path)

  expect(differing, `run: ${updateCommand}`).toEqual([])
  expect(pages.map(({ path }) => path)).toEqual(
    expect.arrayContaining(Object.keys(errors).map((code) => `${code}.md`)),
  )
})

test('no code stands in two areas', () => {
  const codes = Object.values(errorAreas).flatMap((area) => Object.keys(area))

  expect(codes.toSorted()).toEqual(Object.keys(errors).toSorted())
})

test('the table of permissions is the one that decides', () => {
  expect(readFileSync(permissionsPath, 'utf8'), `run: ${updateCommand}`).toBe(permissionsPage())
})

test('no page outlives its code', () => {
  expect(stalePages(pages), `run: ${updateCommand}`).toEqual([])
})

test.for(Object.entries(errors))('%s says what happened, why, and what to do', ([, entry]) => {
  const sentence = /^\S.*\S$/
  expect(entry.title).toMatch(sentence)
  expect(entry.cause).toMatch(sentence)
  expect(entry.fix).toMatch(sentence)
  expect(entry.status).toBeGreaterThanOrEqual(400)
  expect(entry.status).toBeLessThan(600)
})

const linksIn = (guide: string) =>
  Array.from(textOf(guide).matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => link)

test.for(guides.filter((guide) => linksIn(guide).length > 0))(
  'every link of %s leads to a page and heading that exist',
  (guide) => {
    const own = linksIn(guide).filter((link) => !/^(https?|mailto):/.test(link))
    expect(own.filter((link) => !leads(guide, link))).toEqual([])
  },
)

/** Where each section of the configuration page has its truth. */
const configOf: Record<string, string> = {
  relay: 'relay/src/config.ts',
  gateway: 'gateway/src/config.ts',
  identity: 'subgraphs/identity/src/config.ts',
  tunnels: 'subgraphs/tunnels/src/config.ts',
  domains: 'subgraphs/domains/src/config.ts',
  billing: 'subgraphs/billing/src/config.ts',
  'worker-billing': 'workers/billing/src/config.ts',
  'worker-certificates': 'workers/certificates/src/config.ts',
  'worker-inspector': 'workers/inspector/src/config.ts',
  'npm start': 'docker/local/src/config.ts',
}

/** What a configuration reads, and what it cannot do without, by asking it. */
async function variablesReadBy(path: string) {
  const { config } = (await import(join(rootFolder, path))) as {
    config: (env: object, root: string) => unknown
  }
  const read = new Set<string>()
  const env = new Proxy({}, { get: (_target, name) => void read.add(String(name)) })
  let complaint = ''
  try {
    config(env, '/')
  } catch (error) {
    complaint = String(error)
  }
  const required = Array.from(complaint.matchAll(/(\w+) is not set/g), ([, name = '']) => name)
  return { read: [...read].filter((name) => !name.endsWith('_FILE')), required }
}

test.for(Object.entries(configOf))('the variables of %s are documented', async ([part, path]) => {
  const [section = ''] = textOf('docs/configuration.md').split(`\n## ${part}\n`).slice(1)
  const rows = (section.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  const documented = rows.flatMap((row) =>
    Array.from((row.split('|')[1] ?? '').matchAll(/`(\w+)`/g), ([, name = '']) => ({
      name,
      required: row.split('|')[2]?.trim() === 'required',
    })),
  )
  const { read, required } = await variablesReadBy(path)

  expect(documented.map(({ name }) => name).toSorted()).toEqual(read.toSorted())
  expect(documented.flatMap((one) => (one.required ? [one.name] : [])).toSorted()).toEqual(
    required.toSorted(),
  )
})

test('every command and option of the command line is documented', () => {
  const source = textOf('agent/src/cli.ts')
  const page = textOf('docs/cli.md')
  const commands = Array.from(source.matchAll(/\.command\('(\w+)'/g), ([, name = '']) => name)
  const options = Array.from(source.matchAll(/ption\('([^']+)'/g), ([, text = '']) => text)
  const flags = options.flatMap((text) => text.match(/--?[\w-]+/g) ?? [])

  // A command of a command stands behind its own: `sluice config check`.
  const isShown = (name: string) => new RegExp(`\`sluice (?:[a-z]+ )?${name}\\b`).test(page)
  expect(commands.filter((name) => !isShown(name))).toEqual([])
  expect(flags.filter((flag) => !page.includes(`\`${flag}`))).toEqual([])
})

test('every variable that the command line reads is documented', () => {
  const files = globSync('agent/src/**/*.ts', { cwd: rootFolder, exclude: ['**/*.test.ts'] })
  const read = files.flatMap((file) =>
    Array.from(textOf(file).matchAll(/\benv\['(\w+)'\]/g), ([, name = '']) => name),
  )
  const ordinary = ['HOME', 'TERM']
  const page = textOf('docs/cli.md')
  expect(
    read.filter((name) => !ordinary.includes(name) && !page.includes(`| \`${name}\` |`)),
  ).toEqual([])
})

test('the limits of the graph are the documented ones', () => {
  const limits = defaultLimits
  const page = textOf('docs/graphql.md').split('## Limits')[1] ?? ''
  const count = (value: number) => value.toLocaleString('en')
  const stated = [
    `${limits.bodyBytesMax / 1024 ** 2} MiB`,
    `${limits.documentBytesMax / 1024} KiB`,
    `${count(limits.tokensMax)} tokens`,
    `depth ${limits.depthMax}`,
    `${limits.aliasesMax} aliases`,
    `${limits.directivesMax} directives`,
    `${count(limits.fieldsMax)} fields`,
    `${limits.subgraphTimeoutMs / 1000} s, ${limits.subgraphBytesMax / 1024 ** 2} MiB`,
    `one WebSocket | ${limits.operationsPerSocketMax} |`,
    `one credential | ${count(limits.subscriptionsPerCallerMax)} |`,
    `one address | ${count(limits.socketsPerIpMax)} |`,
    `${limits.eventsQueuedMax}, ${limits.eventBytesQueuedMax / 1024 ** 2} MiB`,
  ]
  expect(stated.filter((text) => !page.includes(text))).toEqual([])
})

test('the guide of the partner API tells of every webhook event and of the limits', () => {
  const page = textOf('docs/partner-api.md')
  const count = (number: number) => number.toLocaleString('en')
  const stated = [
    ...Object.entries(webhookEvents).map(([name, what]) => `| \`${name}\` | ${what} |`),
    `| one operation | ${count(defaultLimits.publicCostMax)} (`,
    `| ${count(defaultLimits.publicCostPerMinute)}, and ${defaultLimits.publicRequestsPerMinute} requests`,
  ]
  expect(stated.filter((text) => !page.includes(text))).toEqual([])
})

test('every GraphQL example of the partner API fits the contract', () => {
  const contract = buildSchema(textOf('schema/public.graphql'))
  const examples = examplesIn('docs/partner-api.md')
  expect(examples.flatMap((text) => validate(contract, parse(text)))).toEqual([])
})

const examplesIn = (guide: string) =>
  Array.from(textOf(guide).matchAll(/```graphql\n([\s\S]*?)```/g), ([, text = '']) => text)

test.for(guides.filter((guide) => examplesIn(guide).length > 0))(
  'every GraphQL example of %s fits the schema',
  (guide) => {
    const schema = buildSchema(textOf('schema/api.graphql'))
    expect(examplesIn(guide).flatMap((text) => validate(schema, parse(text)))).toEqual([])
  },
)

test('the document with which the guide signs in is a registered one', () => {
  const [, path = ''] = /--rawfile query (\S+)/.exec(textOf('docs/graphql.md')) ?? []
  expect(print(parse(textOf(path)))).toContain('accessToken')
})

function leads(guide: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const file = path === '' ? join(rootFolder, guide) : join(rootFolder, dirname(guide), path)
  if (!existsSync(file)) return false
  if (anchor === undefined) return true
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)
  return Array.from(headings, ([, heading = '']) => anchorOf(heading)).includes(anchor)
}
