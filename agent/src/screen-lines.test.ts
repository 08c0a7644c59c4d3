import { expect, test } from 'vitest'

import { screenLines, type ScreenState } from './screen-lines.ts'
import { textColumns } from './terminal-text.ts'

const state: ScreenState = {
  version: '0.1.0',
  status: { kind: 'online' },
  loggedInAs: 'Ada (Acme)',
  region: 'local',
  latencyMs: 3.2,
  urls: ['http://app.tunnel.localhost:8080', 'https://app.tunnel.localhost:8443'],
  target: 'http://localhost:3000',
  targetRefused: false,
  inspectorUrl: 'http://127.0.0.1:4040',
  connections: { open: 2, total: 15 },
  requests: [
    {
      method: 'POST',
      path: '/hook',
      status: 502,
      code: 'SLUICE_UPSTREAM_REFUSED',
      durationMs: 1.2,
      responseBytes: 2048,
      startedAt: new Date(2026, 10, 21, 14, 2, 12),
    },
    {
      method: 'GET',
      path: '/',
      status: 200,
      durationMs: 12,
      responseBytes: 10,
      startedAt: new Date(2026, 10, 21, 14, 2, 11),
    },
  ],
  requestsTotal: 2,
  kind: 'HTTP',
}
const plain = (_style: string, text: string) => text

test('the screen shows status, forwarding, connections and the newest request first', () => {
  expect(screenLines(state, { columns: 80, rows: 24 }, plain, 0)).toMatchInlineSnapshot(`
    [
      "sluice 0.1.0                                   i inspect  o open  c copy  q quit",
      "",
      "Status         online",
      "Logged in as   Ada (Acme)",
      "Region         local",
      "Latency        3.2 ms",
      "Forwarding     http://app.tunnel.localhost:8080   ->  http://localhost:3000",
      "               https://app.tunnel.localhost:8443  ->  http://localhost:3000",
      "Inspector      http://127.0.0.1:4040",
      "",
      "Connections    2 open, 15 total",
      "",
      "Requests       2 since the start",
      "14:02:12  POST    /hook (SLUICE_UPSTREAM_REFUSED)       502     1.2 ms   2.0 KiB",
      "14:02:11  GET     /                                     200      12 ms      10 B",
    ]
  `)
})

test('a target at which nothing listens is said where the target stands', () => {
  const lines = screenLines({ ...state, targetRefused: true }, { columns: 80, rows: 24 }, plain, 0)
  expect(lines[8]).toBe('               nothing listens there: visitors get an error page')
})

test('no line is wider than the window and none is below it, whatever its size', () => {
  const long = {
    ...state.requests[0],
    path: `/${'日本'.repeat(100)}`,
  } as ScreenState['requests'][0]
  const many = { ...state, requests: Array.from({ length: 200 }, () => long) }

  for (const columns of [1, 5, 20, 40, 63, 64, 80, 200]) {
    for (const rows of [1, 2, 5, 12, 13, 24, 100]) {
      const lines = screenLines(many, { columns, rows }, plain, 0)
      expect(lines.length).toBeLessThanOrEqual(rows)
      expect(Math.max(...lines.map(textColumns))).toBeLessThanOrEqual(columns)
    }
  }
})

test('a window of four rows still says whether the tunnel is up and where', () => {
  const lines = screenLines(state, { columns: 80, rows: 4 }, plain, 0)

  expect(lines[0]).toContain('online')
  expect(lines[1]).toContain('http://app.tunnel.localhost:8080')
})

test('while offline it says why, and counts down', () => {
  const status = { kind: 'offline', reason: 'the relay went away', retryAtMs: 5_000 } as const
  const at = (now: number) =>
    screenLines({ ...state, status }, { columns: 80, rows: 24 }, plain, now)[2]

  expect(at(2_100)).toContain('offline, reconnecting in 3 s  the relay went away')
  expect(at(6_000)).toContain('offline, reconnecting')
})

test('a visitor cannot steer the terminal by a path, nor a server by a name', () => {
  const evil = '\u001B[2J\u001B]0;owned\u0007\r\n'
  const request = { ...state.requests[0], path: evil, method: evil } as ScreenState['requests'][0]
  const lines = screenLines(
    { ...state, loggedInAs: evil, region: evil, urls: [evil], requests: [request] },
    { columns: 80, rows: 24 },
    plain,
    0,
  )

  // oxlint-disable-next-line no-control-regex -- what must not be there
  expect(lines.join('')).not.toMatch(/[\u0000-\u001F]/)
})
