import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import { SluiceError } from '@sluice/schema/errors'
import { graphiqlOperations } from '@sluice/schema/operations/graphiql'

import type { Authenticator } from './authenticate.ts'
import { contentSecurityPolicy } from './security-headers.ts'

const compress = promisify(gzip)

export const graphiqlPaths: ReadonlySet<string> = new Set([
  '/graphiql',
  '/graphiql/start.js',
  '/graphiql/app.js',
])

/**
 * GraphiQL for admins of the platform, whole in one file and without a network. A browser that opens `/graphiql` sends
 * no access token, so the page is a few lines that get one from the refresh cookie and fetch the app with it.
 */
export function createGraphiql(options: {
  authenticator: Authenticator
  consoleOrigin: string
  visitorIpOf: (request: IncomingMessage) => string
}) {
  // 9 MB of script are loaded when the first admin comes, and kept compressed.
  let app: Promise<Buffer> | null = null

  async function sendApp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const authorization = request.headers.authorization ?? null
    const ip = options.visitorIpOf(request)
    const { principal } = await options.authenticator.authenticate(authorization, ip)
    if (!principal.isAdmin) throw new SluiceError('SLUICE_FORBIDDEN')
    app ??= loadApp()
    const body = await app
    response
      .writeHead(200, {
        'content-type': 'text/javascript; charset=utf-8',
        'content-encoding': 'gzip',
        'content-length': body.length,
        'cache-control': 'private, no-cache',
      })
      .end(body)
  }

  return async (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ): Promise<void> => {
    if (path === '/graphiql/app.js') return sendApp(request, response)
    const isPage = path === '/graphiql'
    const body = isPage ? page : await readFile(new URL('graphiql-start.js', import.meta.url))
    response
      .writeHead(200, {
        'content-type': isPage ? 'text/html; charset=utf-8' : 'text/javascript; charset=utf-8',
        'cache-control': 'no-cache',
        'content-security-policy': contentSecurityPolicy(options.consoleOrigin, { blobs: true }),
      })
      .end(body)
  }
}

/** GraphiQL as the package renders it, without the page around it and with our own start. */
async function loadApp(): Promise<Buffer> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const html = renderGraphiQL()
  const css = between(html, html.indexOf('<style>'), '<style>', html.indexOf('</style>'))
  const start = html.lastIndexOf('YogaGraphiQL.renderYogaGraphiQL(')
  const script = between(html, html.indexOf('<script>'), '<script>', start)
  return compress(
    [
      "document.head.appendChild(document.createElement('style')).textContent =",
      JSON.stringify(css),
      script,
      appEnd,
    ].join('\n'),
  )
}

function between(text: string, at: number, opening: string, end: number): string {
  assert(at !== -1 && end > at, 'GraphiQL renders another page than it did')
  return text.slice(at + opening.length, end)
}

// GraphiQL takes its `fetch` from the page and has no other place for a header that changes.
const appEnd = `
const fetchAsIs = self.fetch.bind(self)
self.fetch = async (url, init) => {
  const headers = new Headers(init?.headers)
  headers.set('authorization', await sluiceAuthorization())
  return fetchAsIs(url, { ...init, headers })
}
YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), {
  title: 'Sluice',
  endpoint: '/graphql',
  subscriptionsProtocol: 'WS',
  shouldPersistHeaders: false,
  connectionParams: async () => ({ authorization: await sluiceAuthorization() }),
})`

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Sluice GraphiQL</title>
<link rel="icon" href="/mark.svg" type="image/svg+xml">
<style>
html, body, #root { height: 100%; margin: 0 }
body { font-family: system-ui, sans-serif }
#root > p { max-width: 40rem; margin: 4rem auto; padding: 0 1rem }
</style>
</head>
<body class="no-focus-outline">
<div id="root"><p>Loading GraphiQL.</p></div>
<script src="/graphiql/start.js" data-document="${graphiqlOperations.refreshSignIn.replaceAll('\n', '&#10;')}"></script>
</body>
</html>
`
