import { execFileSync } from 'node:child_process'

import { expect, test } from 'vitest'

import { requestCurlOf } from './request-curl.ts'

const request = {
  method: 'POST',
  path: "/hooks?who='$(id)'",
  endpointHost: 'app.tunnel.localhost',
  requestBytes: 7,
  requestHeaders: [
    { name: 'Host', value: 'app.tunnel.localhost:8080' },
    { name: 'content-type', value: 'application/json' },
    { name: 'x-note', value: 'it\'s "quoted" `id`' },
    { name: 'Authorization', value: '[redacted]' },
    { name: 'Content-Length', value: '7' },
    { name: 'X-Forwarded-For', value: '203.0.113.7' },
  ],
}

test('a request goes through a shell as it was sent, without secrets and what curl adds by itself', () => {
  const script = `curl() { for word in "$@"; do printf '%s\\n' "$word"; done; }\n${requestCurlOf(request, 'http:')}`
  const words = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n')

  expect(words).toEqual([
    '-X',
    'POST',
    "http://app.tunnel.localhost:8080/hooks?who='$(id)'",
    '-H',
    'content-type: application/json',
    '-H',
    'x-note: it\'s "quoted" `id`',
    '--data-binary',
    '@body',
  ])
})
