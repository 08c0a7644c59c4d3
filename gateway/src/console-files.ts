import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import { LRUCache } from 'lru-cache'

import { contentSecurityPolicy } from './security-headers.ts'

const typeOf: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}
/** Types that a compression makes smaller. */
const compressible = /^(text|application|image\/svg)/
const cachedBytesMax = 64 * 1024 * 1024
/** A build that finishes while the gateway runs is seen this soon. */
const lookAgainMs = 1_000
const immutableSeconds = 31_536_000

const compress = promisify(gzip)

interface File {
  readonly body: Buffer
  readonly gzipped: Buffer | null
  readonly headers: OutgoingHttpHeaders
}

export interface ConsoleFiles {
  /** Answers a GET or HEAD for a file of the build, or with `index.html` for a route of the console. */
  answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void>
}

/**
 * Serves the built console. Only paths found by listing the folder are served, so there is no path to break out with.
 * Without a folder, or before it is built, a page says so.
 */
export function createConsoleFiles(options: {
  folder: string | undefined
  consoleOrigin: string
  now: () => number
}): ConsoleFiles {
  const { folder, consoleOrigin, now } = options
  let paths: ReadonlyMap<string, string> = new Map()
  let lookedAtMs = Number.NEGATIVE_INFINITY
  const files = new LRUCache<string, File>({
    maxSize: cachedBytesMax,
    sizeCalculation: ({ body, gzipped }) => body.length + (gzipped?.length ?? 0) + 1,
  })

  /** The file's place on the disk. A path that is not known is looked for again, at most once a second. */
  async function find(path: string): Promise<string | undefined> {
    const known = paths.get(path)
    if (known !== undefined || folder === undefined) return known
    if (now() - lookedAtMs >= lookAgainMs) {
      lookedAtMs = now()
      paths = await list(folder)
    }
    return paths.get(path)
  }

  async function load(path: string, file: string): Promise<File | null> {
    // A new build replaces index.html in its place; everything else has its content in its name.
    const changed = await stat(file).catch(() => null)
    if (!changed) return null
    const key = `${file} ${changed.mtimeMs} ${changed.size}`
    const known = files.get(key)
    if (known) return known
    const body = await readFile(file)
    const type = typeOf[extname(file)] ?? 'application/octet-stream'
    const loaded: File = {
      body,
      gzipped: compressible.test(type) ? await compressed(file, body) : null,
      headers: { 'content-type': type, ...headersOf(path, body, consoleOrigin) },
    }
    files.set(key, loaded)
    return loaded
  }

  return {
    async answer(request, response, path) {
      const asked = await find(path)
      // A missing file is missing; any other path is a route, which the console knows.
      const route = asked === undefined && !extname(path)
      const file = asked ?? (route ? await find('/index.html') : undefined)
      if (file === undefined) return notFound(response, route, consoleOrigin)
      const loaded = await load(asked === undefined ? '/index.html' : path, file)
      if (!loaded) return notFound(response, route, consoleOrigin)
      const { etag } = loaded.headers
      if (etag !== undefined && request.headers['if-none-match'] === etag) {
        response.writeHead(304, loaded.headers).end()
        return
      }
      const zipped = loaded.gzipped && /\bgzip\b/.test(String(request.headers['accept-encoding']))
      const body = zipped ? loaded.gzipped : loaded.body
      response.writeHead(200, {
        ...loaded.headers,
        ...(loaded.gzipped ? { vary: 'accept-encoding' } : {}),
        ...(zipped ? { 'content-encoding': 'gzip' } : {}),
        'content-length': body.length,
      })
      response.end(request.method === 'HEAD' ? undefined : body)
    },
  }
}

async function list(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return new Map(
    entries
      // Links are left out: they may lead out of the folder.
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.gz'))
      .map((entry) => {
        const file = join(entry.parentPath, entry.name)
        return [`/${relative(folder, file).split(sep).join('/')}`, file]
      }),
  )
}

async function compressed(file: string, body: Buffer): Promise<Buffer> {
  return readFile(`${file}.gz`).catch(() => compress(body))
}

function headersOf(path: string, body: Buffer, consoleOrigin: string): OutgoingHttpHeaders {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
  if (path.startsWith('/assets/')) {
    return { 'cache-control': `public, max-age=${immutableSeconds}, immutable`, etag }
  }
  if (!path.endsWith('.html')) return { 'cache-control': 'no-cache', etag }
  const policy = contentSecurityPolicy(consoleOrigin)
  return { 'cache-control': 'no-cache', etag, 'content-security-policy': policy }
}

function notFound(response: ServerResponse, route: boolean, consoleOrigin: string): void {
  if (!route) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('Not found.\n')
    return
  }
  response
    .writeHead(503, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': contentSecurityPolicy(consoleOrigin),
    })
    .end(notBuiltPage)
}

const notBuiltPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sluice: the console is not built</title>
<body style="font-family: system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem">
<h1>The console is not built</h1>
<p>The gateway runs, and its graph answers at <code>/graphql</code>, but there are no console files to serve.</p>
<p>Run <code>npm start</code> in the clone, which builds them, or build the console and name its folder in <code>CONSOLE_DIST</code>.</p>
</body>
</html>
`
