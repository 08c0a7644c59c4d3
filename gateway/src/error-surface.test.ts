import type { RequestListener } from 'node:http'

import { expect, test } from 'vitest'

import { createWorld } from './testing/world.ts'

/** Ways in which a subgraph fails, each with what a client may learn of it. */
const failures: Record<string, [code: string, RequestListener]> = {
  'cuts the connection': [
    'SLUICE_SUBGRAPH_UNAVAILABLE',
    (request) => void request.socket.destroy(),
  ],
  'answers too late': ['SLUICE_SUBGRAPH_TIMEOUT', () => undefined],
  'stops in the middle': [
    'SLUICE_SUBGRAPH_UNAVAILABLE',
    (_request, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('{"data":', () => void response.destroy())
    },
  ],
  'answers no JSON': [
    'SLUICE_INTERNAL',
    (_request, response) => void response.end('<h1>at domains.internal</h1>'),
  ],
  'answers a page with 502': [
    'SLUICE_SUBGRAPH_UNAVAILABLE',
    (_request, response) => void response.writeHead(502).end('bad gateway 10.0.0.7'),
  ],
  'answers too much': [
    'SLUICE_INTERNAL',
    (_request, response) => void response.end(JSON.stringify({ data: 'x'.repeat(20_000) })),
  ],
  'answers a stack trace': [
    'SLUICE_INTERNAL',
    (_request, response) => {
      const extensions = { stacktrace: ['at /srv/app.ts'], code: 'INTERNAL_SERVER_ERROR' }
      const errors = [{ message: 'connect ECONNREFUSED 10.0.0.7', extensions }]
      response.writeHead(500).end(JSON.stringify({ data: null, errors }))
    },
  ],
  'answers its own code with internals beside it': [
    'SLUICE_FORBIDDEN',
    (_request, response) => {
      const extensions = {
        code: 'SLUICE_FORBIDDEN',
        stacktrace: ['at /srv/app.ts'],
        url: 'http://10.0.0.7',
      }
      response.end(JSON.stringify({ errors: [{ message: 'no', extensions }] }))
    },
  ],
}

test.for(Object.entries(failures))(
  'a subgraph that %s shows nothing of itself',
  async ([, [code, listener]]) => {
    await using world = await createWorld({
      replaced: { domains: listener },
      limits: { subgraphTimeoutMs: 3_000, subgraphBytesMax: 10_000 },
    })

    const answer = await world.query('{ mine { name domain } }', world.signIn())

    expect(answer.data).toEqual({ mine: { name: 'one', domain: null } })
    expect(answer.errors?.map(({ extensions }) => extensions?.['code'])).toEqual([code])
    expect(answer.text).not.toMatch(
      /domains|127\.0\.0\.1|10\.0\.0\.7|ECONN|stack|srv|<h1>|serviceName/,
    )
  },
)
