import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import type { Principal } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'
import { graphiqlOperations } from '@sluice/schema/operations/graphiql'

import type { Authenticator } from './authenticate.ts'
import { contentSecurityPolicy } from './security-headers.ts'

const compress = promisify(gzip)

/** One page with GraphiQL: where it is, what it asks, and who is given the app. */
interface GraphiqlPage {
  readonly endpoint: string
  readonly html: string
  readonly start: URL
  /** What the editor holds at first; without it GraphiQL's own greeting. */
  readonly firstQuery?: string
  /** Throws for whom it is not. */
  assertFor(principal: Principal): void
}

const pages: Readonly<Record<string, GraphiqlPage>> = {
  '/graphiql': {
    endpoint: '/graphql',
    html: pageOf(
      '<p>Loading GraphiQL.</p>',
      `src="/graphiql/start.js" data-document="${graphiqlOperations.refreshSignIn.replaceAll('\n', '&#10;')}"`,
    ),
    start: new URL('graphiql-start.js', import.meta.url),
    firstQuery: graphiqlOperations.firstQuery,
    assertFor({ isAdmin }) {
      if (!isAdmin) throw new SluiceError('SLUICE_FORBIDDEN')
    },
  },
  '/public/graphiql': {
    endpoint: '/public/graphql',
    html: pageOf(
      `<form>
<label for="key">API key</label>
<input id="key" type="password" autocomplete="off" spellcheck="false" placeholder="slk_…" required autofocus>
<button>Open GraphiQL</button>
<p role="alert"></p>
<p>The key stays in this page until it is closed. What you run is real.</p>
</form>`,
      'src="/public/graphiql/start.js"',
    ),
    start: new URL('public/graphiql-start.js', import.meta.url),
    assertFor({ kind }) {
      if (kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
      if (kind !== 'api-key') throw new SluiceError('SLUICE_API_KEY_NEEDED')
    },
  },
}

/** Page, start and app of each. */
export const graphiqlPaths: ReadonlySet<string> = new Set(
  Object.keys(pages).flatMap((path) => [path, `${path}/start.js`, `${path}/app.js`]),
)

/**
 * GraphiQL, whole in one file and without a network: on `/graphql` for admins of the platform, on `/public/graphql` for
 * whoever holds an API key. A browser that opens the page sends no credential, so the page is a few lines that get one
 * (from the refresh cookie, or by asking for the key) and fetch the app with it.
 */
export function createGraphiql(options: {
  authenticator: Authenticator
  consoleOrigin: string
  visitorIpOf: (request: IncomingMessage) => string
}) {
  // 9 MB of script are loaded when somebody comes, and kept compressed.
  const apps = new Map<GraphiqlPage, Promise<Buffer>>()

  async function sendApp(
    request: IncomingMessage,
    response: ServerResponse,
    page: GraphiqlPage,
  ): Promise<void> {
    const authorization = request.headers.authorization ?? null
    const ip = options.visitorIpOf(request)
    const { principal } = await options.authenticator.authenticate(authorization, ip)
    page.assertFor(principal)
    const loading = apps.get(page) ?? loadApp(page)
    apps.set(page, loading)
    const body = await loading
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
    const isPage = Object.hasOwn(pages, path)
    const page = pages[isPage ? path : path.slice(0, path.lastIndexOf('/'))]
    assert(page, 'routes asks for GraphiQL’s own paths alone')
    if (path.endsWith('/app.js')) return sendApp(request, response, page)
    const body = isPage ? page.html : await readFile(page.start)
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
async function loadApp({ endpoint, firstQuery }: GraphiqlPage): Promise<Buffer> {
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
      appEndOf(endpoint, firstQuery),
    ].join('\n'),
  )
}

function between(text: string, at: number, opening: string, end: number): string {
  assert(at !== -1 && end > at, 'GraphiQL renders another page than it did')
  return text.slice(at + opening.length, end)
}

// GraphiQL takes its `fetch` from the page and has no other place for a header that changes.
const appEndOf = (endpoint: string, firstQuery: string | undefined) => `
const fetchAsIs = self.fetch.bind(self)
self.fetch = async (url, init) => {
  const headers = new Headers(init?.headers)
  headers.set('authorization', await sluiceAuthorization())
  return fetchAsIs(url, { ...init, headers })
}
YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), {
  title: 'Sluice',
  endpoint: '${endpoint}',
  defaultQuery: self.sluiceQuery ?? ${JSON.stringify(firstQuery)},
  subscriptionsProtocol: 'WS',
  shouldPersistHeaders: false,
  connectionParams: async () => ({ authorization: await sluiceAuthorization() }),
})`

function pageOf(body: string, script: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Sluice GraphiQL</title>
<link rel="icon" href="/mark.svg" type="image/svg+xml">
<style>
html, body, #root { height: 100%; margin: 0 }
body { font-family: system-ui, sans-serif }
#root > p, #root > form { max-width: 40rem; margin: 4rem auto; padding: 0 1rem }
#root label { display: block; font-weight: 600; margin-bottom: .5rem }
#root input { font: inherit; padding: .5rem; width: 24rem; max-width: 100%; box-sizing: border-box }
#root button { font: inherit; padding: .5rem 1rem }
</style>
</head>
<body class="no-focus-outline">
<div id="root">${body}</div>
<script ${script}></script>
</body>
</html>
`
}
