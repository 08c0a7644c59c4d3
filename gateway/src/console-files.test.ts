import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { createWorld } from './testing/world.ts'

const script = 'console.log("a".repeat(10))'.repeat(100)

/** A folder as a build leaves it, with something beside it that must stay there. */
async function built() {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-console-'))
  const dist = join(folder, 'dist')
  await mkdir(join(dist, 'assets'), { recursive: true })
  await writeFile(join(folder, 'secret.txt'), 'secret')
  await writeFile(join(dist, 'index.html'), '<!doctype html><title>Sluice</title>')
  await writeFile(join(dist, 'assets/app-1234.js'), script)
  await writeFile(join(dist, 'mark.svg'), '<svg/>')
  await symlink(join(folder, 'secret.txt'), join(dist, 'link.txt'))
  return { dist, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

/** Asks for a path exactly as written: `fetch` would tidy it up first. */
function rawStatus(origin: string, path: string): Promise<[number | undefined, string]> {
  return new Promise((resolve, reject) => {
    const asked = request(`${origin}/`, { path }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve([response.statusCode, text]))
    })
    asked.on('error', reject).end()
  })
}

test('assets are kept for ever, the page is asked for again, and any route shows the page', async () => {
  await using files = await built()
  await using world = await createWorld({ consoleDist: files.dist })

  const asset = await fetch(`${world.origin}/assets/app-1234.js`)
  const page = await fetch(`${world.origin}/`)
  const route = await fetch(`${world.origin}/acme/tunnels/5`)

  expect(asset.headers.get('cache-control')).toContain('immutable')
  expect(asset.headers.get('content-encoding')).toBe('gzip')
  expect(await asset.text()).toBe(script)
  expect(page.headers.get('cache-control')).toBe('no-cache')
  expect(await route.text()).toBe(await page.text())
  const again = await fetch(`${world.origin}/`, {
    headers: { 'if-none-match': page.headers.get('etag') ?? '' },
  })
  expect(again.status).toBe(304)
})

test('the page may load and run what is its own, and nothing else', async () => {
  await using files = await built()
  await using world = await createWorld({
    consoleDist: files.dist,
    consoleOrigin: 'https://console.test',
  })

  const { headers } = await fetch(`${world.origin}/`)

  const policy = headers.get('content-security-policy')
  expect(policy).toContain("script-src 'self';")
  expect(policy).toContain("connect-src 'self' wss://console.test;")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('strict-transport-security')).toContain('max-age=')
})

test('nothing beside the build is served', async () => {
  await using files = await built()
  await using world = await createWorld({ consoleDist: files.dist })

  for (const path of [
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '//etc/passwd.txt',
    '/link.txt',
    '/assets/gone-1.js',
  ]) {
    expect(await rawStatus(world.origin, path)).toEqual([404, 'Not found.\n'])
  }
})

test('a console that is not built says how to build it, and is served once it is', async () => {
  await using files = await built()
  const dist = join(files.dist, 'later')
  await using world = await createWorld({ consoleDist: dist })

  const before = await fetch(`${world.origin}/`)
  await mkdir(dist)
  await writeFile(join(dist, 'index.html'), 'built')

  expect(before.status).toBe(503)
  expect(await before.text()).toContain('npm start')
  await expect
    .poll(async () => (await fetch(`${world.origin}/`)).text(), { timeout: 15_000 })
    .toBe('built')
})
