import { expect, test } from 'vitest'

import {
  matchesSearch,
  parseRequestSearch,
  pathFilterMax,
  requestFilterOf,
} from './request-filter.ts'

test('the address holds the whole filter and the chosen request', () => {
  const search = {
    tunnel: 't1',
    method: 'POST',
    status: '5xx',
    path: '/hooks',
    request: 'r9',
  } as const
  expect(parseRequestSearch({ ...search, unknown: 'x' })).toEqual(search)
})

test.for([
  [{ method: 'get' }, { method: 'GET' }],
  [{ method: 'GET; DROP' }, {}],
  [{ status: '6xx' }, {}],
  [{ status: 500 }, {}],
  [{ path: 404 }, { path: '404' }],
  [{ path: '   ' }, {}],
  [{ path: 'x'.repeat(5_000) }, { path: 'x'.repeat(pathFilterMax) }],
  [{ request: { id: 1 } }, {}],
  [{ tunnel: ['t1'] }, {}],
] as const)('an address of %o is read as %o', ([raw, search]) => {
  expect(parseRequestSearch(raw)).toEqual(search)
})

test.for([
  [{}, null],
  [{ tunnel: 't1', request: 'r1' }, null],
  [{ status: '4xx' }, { statusMin: 400, statusMax: 499 }],
  [{ path: '/api' }, { pathPrefix: '/api' }],
  [{ path: 'webhook' }, { pathContains: 'webhook' }],
  [
    { method: 'PUT', status: '2xx', path: '/a' },
    { method: 'PUT', statusMin: 200, statusMax: 299, pathPrefix: '/a' },
  ],
] as const)('%o asks the server for %o', ([search, filter]) => {
  expect(requestFilterOf(search)).toEqual(filter)
})

const post = { method: 'POST', path: '/hooks/stripe', status: 204 }

test.for([
  [{}, true],
  [{ method: 'POST' }, true],
  [{ method: 'GET' }, false],
  [{ status: '2xx' }, true],
  [{ status: '5xx' }, false],
  [{ path: '/hooks' }, true],
  [{ path: '/stripe' }, false],
  [{ path: 'stripe' }, true],
  [{ method: 'POST', path: 'nothing' }, false],
] as const)('a live request is held against %o as the server would: %o', ([search, expected]) => {
  expect(matchesSearch(search, post)).toBe(expected)
})
