import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { STATUS_CODES } from 'node:http'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import { errorAreas, errors, type ErrorCode } from '../schema/errors.ts'
import {
  hasPermission,
  permissionNames,
  permissions,
  rolePermissions,
  roles,
} from '../schema/permissions.ts'

/** Writes the pages of the error catalogue, one per code and a list of all by area, and the table of permissions. */

export const rootFolder = fileURLToPath(new URL('..', import.meta.url))
export const pagesFolder = join(rootFolder, 'docs/errors')
export const updateCommand = 'node scripts/docs.ts'

export const permissionsPath = join(rootFolder, 'docs/permissions.md')

type Area = keyof typeof errorAreas

const generatedNote = noteOf('schema/errors')

function noteOf(source: string): string {
  return `<!-- Written by \`${updateCommand}\` from ${source}. Change it there. -->`
}

const surfaceText = {
  graph:
    'In GraphQL answers as `errors[].extensions.code`, with `status`, `title`, `detail` (the cause) and `fix` beside it.',
  console: 'In the console, with cause, fix and code.',
  cli: 'In `sluice` on stderr (`--json`: as an event on stdout), with an exit code that is not 0.',
  http: 'In HTTP answers of the gateway and the subgraphs outside GraphQL: header `sluice-error` and an `application/problem+json` body.',
  edge: 'In the relay’s own HTTP answers: header `sluice-error`, an HTML page for browsers, `application/problem+json` for everything else. The relay drops this header from answers of the upstream.',
  requestLog: 'In the request log as the field `code`.',
  session: 'In the tunnel protocol, when a relay refuses or ends a session.',
}

/** Where a person meets the failures of an area. */
const surfacesOf: Record<Area, (keyof typeof surfaceText)[]> = {
  'Signing in': ['graph', 'http', 'console', 'cli'],
  'Authtokens, API keys and service accounts': ['graph', 'http', 'console', 'cli'],
  'Organizations, members and roles': ['graph', 'http', 'console', 'cli'],
  'Staff of the platform': ['graph', 'http', 'console', 'cli', 'edge', 'session'],
  'Single sign-on': ['graph', 'http', 'console'],
  Tunnels: ['graph', 'http', 'console', 'cli'],
  Webhooks: ['graph', 'http', 'console'],
  Domains: ['graph', 'http', 'console'],
  Billing: ['graph', 'http', 'console'],
  'Addresses that a customer names and this server asks': ['graph', 'http', 'console'],
  'The graph': ['graph', 'http', 'console', 'cli'],
  'The edge: what a visitor meets': ['edge', 'requestLog'],
  'Agent sessions': ['session', 'cli'],
  'The CLI': ['cli'],
  'The console': ['console'],
}

const areas = Object.keys(errorAreas) as Area[]
const codesOf = (area: Area) => Object.keys(errorAreas[area]) as ErrorCode[]

/** Statuses that say nothing about the request itself: the same request may succeed later. */
const passingStatuses = new Set([408, 429, 502, 503, 504])

export interface Page {
  /** Relative to the folder of the pages. */
  readonly path: string
  readonly text: string
}

/** Every page as it should be. */
export function errorPages(): Page[] {
  return [
    { path: 'README.md', text: indexText() },
    ...areas.flatMap((area) =>
      codesOf(area).map((code) => ({ path: `${code}.md`, text: pageText(code, area) })),
    ),
  ]
}

/** Who may do what, as a table. */
export function permissionsPage(): string {
  const columns = roles.toReversed()
  const rows = permissionNames.map((name) => {
    const marks = columns.map((role) => (hasPermission(rolePermissions[role], name) ? 'yes' : '–'))
    return `| \`${name}\` | ${permissions[name]} | ${marks.join(' | ')} |`
  })
  return [
    noteOf('schema/permissions.ts'),
    '',
    '# Permissions',
    '',
    'What a member may do in an organization is decided by these permissions and nothing else. A role is a set of them.',
    'An authtoken or API key may do what its scopes allow, and never more than whoever made it may do now.',
    'Nobody gives, takes or changes a role that may do more than they may themselves.',
    '',
    `| permission | what it allows | ${columns.map((role) => role.toLowerCase()).join(' | ')} |`,
    `| --- | --- | ${columns.map(() => '---').join(' | ')} |`,
    ...rows,
    '',
  ].join('\n')
}

function pageText(code: ErrorCode, area: Area): string {
  const { status, title, cause, fix } = errors[code]
  const details = placeholdersIn(title, cause, fix)
  const filled =
    details.length === 0
      ? []
      : [
          '',
          `Filled in from the error’s details: ${details.map((name) => `\`{${name}}\``).join(', ')}.`,
        ]
  const again = passingStatuses.has(status)
    ? 'The same request may succeed later.'
    : 'The same request fails again until something is changed.'
  const lines = [
    generatedNote,
    '',
    `# ${code}`,
    '',
    `Status **${status} ${STATUS_CODES[status] ?? ''}**. ${again}`,
    '',
    '## What it means',
    '',
    plain(title),
    ...filled,
    '',
    '## Cause',
    '',
    plain(cause),
    '',
    '## What to do',
    '',
    plain(fix),
    '',
    '## Where it appears',
    '',
    ...surfacesOf[area].map((surface) => `- ${surfaceText[surface]}`),
    '',
    `Area: [${area}](README.md#${anchorOf(area)})`,
    '',
  ]
  return lines.join('\n')
}

function indexText(): string {
  const sections = areas.flatMap((area) => [
    `## ${area}`,
    '',
    '| code | status | title |',
    '| --- | --- | --- |',
    ...codesOf(area).map(
      (code) => `| [${code}](${code}.md) | ${errors[code].status} | ${plain(errors[code].title)} |`,
    ),
    '',
  ])
  return [
    generatedNote,
    '',
    '# Error codes',
    '',
    'Every failure that a person can meet has a stable code. Codes are added, never renamed or reused.',
    'The same code stands in HTTP answers, GraphQL errors, the console, the command line program, logs and metrics.',
    '',
    ...sections,
  ].join('\n')
}

/** A placeholder would be read as text of the page: it is shown as code. */
function plain(text: string): string {
  // Inside backticks of the catalogue a placeholder is code already.
  return text
    .split('`')
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(/\{\w+\}/g, '`$&`')))
    .join('`')
}

function placeholdersIn(...texts: string[]): string[] {
  return [
    ...new Set(
      texts.flatMap((text) => Array.from(text.matchAll(/\{(\w+)\}/g), ([, name = '']) => name)),
    ),
  ]
}

/** The anchor that a heading gets: lower case, spaces to hyphens, punctuation dropped. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** Files in the folder that no entry of the catalogue asks for. */
export function stalePages(pages: readonly Page[]): string[] {
  const wanted = new Set(pages.map(({ path }) => path))
  return globSync('**/*', { cwd: pagesFolder }).filter((path) => !wanted.has(path))
}

if (import.meta.main) {
  const pages = errorPages()
  mkdirSync(pagesFolder, { recursive: true })
  for (const path of stalePages(pages)) rmSync(join(pagesFolder, path), { recursive: true })
  for (const { path, text } of pages) writeFileSync(join(pagesFolder, path), text)
  writeFileSync(permissionsPath, permissionsPage())
  console.log(`${pages.length} pages in ${relative(rootFolder, pagesFolder)}`)
}
