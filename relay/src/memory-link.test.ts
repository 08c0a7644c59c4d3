import { expect, test } from 'vitest'

import { createWorld, portOf } from './testing/world.ts'

const host = 'console.test'
const requests = 400

test('requests that must not be repeated reach the gateway one after the other, however fast it answers', async () => {
  let served = 0
  await using gateway = await createWorld()
  const upstream = await gateway.upstream((request, response) => {
    served += 1
    request.resume().on('end', () => response.end(String(request.method)))
  })
  const gatewayUrl = `http://127.0.0.1:${portOf(upstream)}`
  await using world = await createWorld({ console: { host, gatewayUrl } })
  const visitor = await world.visitor()

  for (let sent = 1; sent <= requests; sent += 1) {
    visitor.received = ''
    visitor.send(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 2\r\n\r\nhi`)
    const answer = await visitor.until((received) => received.endsWith('\r\n\r\nPOST'))
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
  }

  expect(served).toBe(requests)
})
