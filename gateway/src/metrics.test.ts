import { expect, test } from 'vitest'

import { subscribed } from './testing/received.ts'
import { createWorld, registeredDocument } from './testing/world.ts'

test('the operator sees what runs, under registered names alone', async () => {
  await using world = await createWorld({ metricsPort: 0 })
  const token = world.signIn()
  const figures = () => world.figures()

  await world.query(registeredDocument, token)
  await world.query(registeredDocument.replaceAll(/\s+/g, ' '), token)
  await world.query('query SomebodysName { whoami }', token)
  const received = subscribed(world.client(token), 'subscription { events(tunnelId: "t1") { n } }')
  await world.lives(1)

  const text = await figures()
  expect(text).toMatch(
    /operations_total\{operation="Registered",transport="http",code="ok",part="gateway"\} 2/,
  )
  expect(text).toMatch(
    /operations_total\{operation="other",transport="http",code="ok",part="gateway"\} 1/,
  )
  expect(text).not.toContain('SomebodysName')
  expect(text).toMatch(/sluice_gateway_subscriptions\{part="gateway"\} 1/)
  expect(text).toMatch(/sluice_gateway_upstreams\{subgraph="tunnels",part="gateway"\} 1/)
  received.cancel()
  await world.lives(0)
  await expect.poll(figures).toMatch(/sluice_gateway_subscriptions\{part="gateway"\} 0/)
})
