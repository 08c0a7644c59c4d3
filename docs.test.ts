import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { expect, test } from 'vitest'

import { errors } from './schema/errors.ts'
import {
  anchorOf,
  errorPages,
  pagesFolder,
  rootFolder,
  stalePages,
  updateCommand,
} from './scripts/docs.ts'

const pages = errorPages()
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

test.for(guides)('every link of %s leads to a page and heading that exist', (guide) => {
  const text = readFileSync(join(rootFolder, guide), 'utf8')
  const links = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => link)
  const broken = links.filter((link) => !/^(https?|mailto):/.test(link) && !leads(guide, link))

  expect(broken).toEqual([])
})

function leads(guide: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const file = path === '' ? join(rootFolder, guide) : join(rootFolder, dirname(guide), path)
  if (!existsSync(file)) return false
  if (anchor === undefined) return true
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)
  return Array.from(headings, ([, heading = '']) => anchorOf(heading)).includes(anchor)
}
