import { randomBytes } from 'node:crypto'

import type { HeadScanner } from '@sluice/wire'

import type { HeaderChanges } from './header-changes.ts'

/** Ours alone: it never reaches an upstream, and no upstream can set it. */
export const visitCookie = 'sluice-visit'
/** A program sends it and is not asked. */
const skipField = Buffer.from('x-sluice-skip-notice')
const cookieField = Buffer.from('cookie')
const modeField = Buffer.from('sec-fetch-mode')
const confirmPath = '/.well-known/sluice-visit'
const keptSeconds = 7 * 86_400
const pathCharactersMax = 2_048
const confirmed = 'yes'

export type Visit =
  /** Not a browser that goes to a page, or one that has confirmed. */
  | { readonly kind: 'passes' }
  /** The notice, with the lines that its response needs. `onward` is where the visitor goes on. */
  | { readonly kind: 'ask'; readonly lines: readonly string[]; readonly onward: string }
  /** The visitor has confirmed, and goes where it wanted to. */
  | { readonly kind: 'confirmed'; readonly lines: readonly string[]; readonly location: string }

/**
 * Asks a browser once per host whether it wants to go on. Confirming takes a number that stands both in a cookie and in
 * the notice: a link that somebody sends cannot hold it, so nobody is led past the notice, and relays share no state.
 */
export function visitOf(
  scanner: HeadScanner,
  buffer: Buffer,
  start: number,
  options: { readonly html: boolean; readonly tls: boolean },
): Visit {
  const { targetStart, targetEnd } = scanner
  // What wants no page is not asked, and has nothing to confirm on a path that is too short for it.
  if (!options.html && targetEnd - targetStart <= confirmPath.length) return passes
  if (buffer.toString('latin1', start, scanner.methodEnd) !== 'GET') return passes
  const target = buffer.toString('latin1', targetStart, targetEnd)
  const fields = fieldsOf(scanner, buffer)
  const cookie = cookieOf(fields.cookies)
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${options.tls ? '; Secure' : ''}`

  if (target.startsWith(`${confirmPath}?`)) {
    const query = new URLSearchParams(target.slice(confirmPath.length + 1))
    const onward = localPathOf(query.get('to') ?? '/')
    const number = query.get('n') ?? ''
    if (!/^[\w-]{22}$/.test(number) || number !== cookie) return ask(onward, attributes)
    const line = `Set-Cookie: ${visitCookie}=${confirmed}; Max-Age=${keptSeconds}${attributes}`
    return { kind: 'confirmed', lines: [line], location: onward }
  }
  const navigates = options.html && (fields.mode === '' || fields.mode === 'navigate')
  if (!navigates || fields.skips || fields.upgrades || cookie === confirmed) {
    return passes
  }
  return ask(localPathOf(target), attributes)
}

const passes: Visit = { kind: 'passes' }

function ask(path: string, attributes: string): Visit {
  const number = randomBytes(16).toString('base64url')
  const query = new URLSearchParams({ n: number, to: path })
  return {
    kind: 'ask',
    lines: [`Set-Cookie: ${visitCookie}=${number}; Max-Age=3600${attributes}`],
    onward: `${confirmPath}?${query.toString()}`,
  }
}

/** The request's changes with our cookie taken out; the same when it has none. */
export function withoutVisitCookie(
  scanner: HeadScanner,
  buffer: Buffer,
  changes: HeaderChanges | undefined,
): HeaderChanges | undefined {
  const cookies = cookiesOf(scanner, buffer)
  if (!cookies.some((value) => value.includes(visitCookie))) return changes
  const removed = new Set(changes?.removed)
  // An owner who removes cookies gets none.
  const kept = removed.has('cookie') ? [] : cookies.map(withoutOurs).filter((value) => value !== '')
  const lines = kept.map((value) => Buffer.from(`Cookie: ${value}\r\n`, 'latin1'))
  removed.add('cookie')
  return { removed, added: Buffer.concat([...lines, changes?.added ?? Buffer.alloc(0)]) }
}

function withoutOurs(value: string): string {
  return value
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !pair.startsWith(`${visitCookie}=`))
    .join('; ')
}

function fieldsOf(scanner: HeadScanner, buffer: Buffer) {
  let mode = ''
  let skips = false
  for (let index = 0; index < scanner.count; index += 1) {
    if (scanner.isNamed(buffer, index, modeField)) mode = scanner.valueOf(buffer, index)
    else if (scanner.isNamed(buffer, index, skipField)) skips = true
  }
  return { cookies: cookiesOf(scanner, buffer), mode, skips, upgrades: scanner.upgradeIndex >= 0 }
}

function cookiesOf(scanner: HeadScanner, buffer: Buffer): readonly string[] {
  let cookies: string[] | undefined
  for (let index = 0; index < scanner.count; index += 1) {
    if (!scanner.isNamed(buffer, index, cookieField)) continue
    cookies ??= []
    cookies.push(scanner.valueOf(buffer, index))
  }
  return cookies ?? noCookies
}

const noCookies: readonly string[] = []

function cookieOf(cookies: readonly string[]): string | undefined {
  for (const pair of cookies.join(';').split(';')) {
    const [name, value] = pair.trim().split('=')
    if (name === visitCookie) return value
  }
  return undefined
}

/** A path on this very host: what could lead elsewhere leads to the start page. */
function localPathOf(path: string): string {
  const fits = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(path) && path.length <= pathCharactersMax
  return fits && !path.startsWith(confirmPath) ? path : '/'
}
