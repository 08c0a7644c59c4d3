import { expect, test } from 'vitest'

import { subscribed } from './testing/received.ts'
import { codeOf, createWorld } from './testing/world.ts'

/** Each makes a client's own value the key or the input of a later fetch, if it is let through. */
const forgeries = {
  'a key': '{ mine { id: mirror(x: "VICTIM") computed } }',
  'a @requires input': '{ mine { status: note computed } }',
  'the type': '{ mine { __typename: mirror(x: "User") computed } }',
  'an inaccessible input': '{ mine { org: mirror(x: "VICTIM") orgComputed } }',
  'a key, in a fragment':
    'query { mine { ...F computed } } fragment F on Tunnel { id: mirror(x: "V") }',
  'a key, behind an interface': '{ thing { ... on Tunnel { id: mirror(x: "V") computed } } }',
  'a key, behind a union': '{ any { ... on Tunnel { id: mirror(x: "V") computed } } }',
  'a field of a possible type': '{ thing { computed: id } }',
}

test.for(Object.entries(forgeries))('an alias cannot forge %s over HTTP', async ([, text]) => {
  await using world = await createWorld()

  const answer = await world.query(text, world.signIn())

  expect(answer.status).toBe(400)
  expect(codeOf(answer)).toBe('SLUICE_ALIAS_SHADOWS_FIELD')
  expect(world.calls).toEqual([])
})

test('an alias cannot forge anything over a socket or server-sent events', async () => {
  await using world = await createWorld()
  const token = world.signIn()
  const client = world.client(token)

  for (const text of Object.values(forgeries)) {
    const refused = await subscribed(client, text).over
    expect(refused).toMatchObject([{ extensions: { code: 'SLUICE_ALIAS_SHADOWS_FIELD' } }])
    const events = await world.post(
      { query: text },
      { token, headers: { accept: 'text/event-stream' } },
    )
    expect(codeOf(events)).toBe('SLUICE_ALIAS_SHADOWS_FIELD')
  }
  expect(world.calls).toEqual([])
})

test('a registered document is held to the same rule', async () => {
  const text = forgeries['a key']
  await using world = await createWorld({ manifest: await manifestWith(text) })

  expect(codeOf(await world.query(text))).toBe('SLUICE_ALIAS_SHADOWS_FIELD')
})

test('an alias that is no field of the type is free, also at the root', async () => {
  await using world = await createWorld()

  const answer = await world.query(
    '{ me: mine { first: name second: mirror(x: "fine") } }',
    world.signIn(),
  )

  expect(answer.data).toEqual({ me: { first: 'one', second: 'fine' } })
})

async function manifestWith(text: string) {
  const { documentIdOf } = await import('./document-id.ts')
  return { [documentIdOf(text)]: { name: 'Forged', text } }
}
