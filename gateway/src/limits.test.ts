import { expect, test } from 'vitest'

import { codeOf, createWorld, type World } from './testing/world.ts'

/** Longer than any check of a document may take on a busy machine, and shorter than what an unchecked one took. */
const promptMs = 3_000

/** The code, and whether it came promptly. */
async function refusalOf(world: World, text: string): Promise<[code: unknown, prompt: boolean]> {
  const token = world.signIn()
  const began = performance.now()
  const answer = await world.query(text, token)
  return [codeOf(answer), performance.now() - began < promptMs]
}

const tooLarge = ['SLUICE_DOCUMENT_TOO_LARGE', true]

const repeat = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ')

const levels = 'organization { tunnels { '.repeat(15)

test.for([
  ['50,000 aliases', `{ ${repeat(50_000, (n) => `a${n}: whoami`)} }`],
  ['more aliases than the limit', `{ ${repeat(100, (n) => `a${n}: whoami`)} }`],
  ['5,000 levels', `${'{ mine '.repeat(5_000)}${'}'.repeat(5_000)}`],
  ['a list 20,000 deep', `{ mirror(x: ${'['.repeat(20_000)}${']'.repeat(20_000)}) }`],
  ['one field 3,000 times', `{ ${'whoami '.repeat(3_000)} }`],
  ['100 directives', `{ whoami ${'@include(if: true) '.repeat(100)} }`],
  ['200 kB of comment', `{ whoami } #${'x'.repeat(200_000)}`],
  ['30 levels of fields', `{ mine { ${levels} id ${'} } '.repeat(15)} } }`],
  [
    'fragments that stand for millions of fields',
    `{ mine { organization { ...F0 } } } fragment F30 on Organization { id } ${repeat(
      30,
      (n) =>
        `fragment F${n} on Organization { ...F${n + 1} tunnels { organization { ...F${n + 1} } } }`,
    )}`,
  ],
] as const)('a document of %s is refused at once', async ([, text]) => {
  await using world = await createWorld()

  expect(await refusalOf(world, text)).toEqual(tooLarge)
})

test('a document just within the limits is checked in a moment', async () => {
  await using world = await createWorld()

  const [, prompt] = await refusalOf(world, `{ ${'mine { id } '.repeat(490)} }`)

  expect(prompt).toBe(true)
})

test('a fragment that contains itself is refused', async () => {
  await using world = await createWorld()
  const text = '{ mine { ...F } } fragment F on Tunnel { id ...F }'

  expect(codeOf(await world.query(text, world.signIn()))).toBe('SLUICE_DOCUMENT_INVALID')
})

test('a request body and variables are bounded', async () => {
  await using world = await createWorld({ limits: { bodyBytesMax: 10_000 } })
  const token = world.signIn()
  let nested: unknown = 1
  for (let level = 0; level < 100; level += 1) nested = [nested]

  const large = await world.query(`{ whoami } #${'x'.repeat(20_000)}`, token)
  const deep = await world.query('{ whoami }', token, { nested })

  expect(codeOf(large)).toBe('SLUICE_DOCUMENT_TOO_LARGE')
  expect(codeOf(deep)).toBe('SLUICE_INPUT_INVALID')
})

test('a variable named as the executor names its own is refused', async () => {
  await using world = await createWorld()
  const text = 'query ($representations: String!) { mine { mirror(x: $representations) } }'

  const answer = await world.query(text, world.signIn(), { representations: 'x' })

  expect(codeOf(answer)).toBe('SLUICE_INPUT_INVALID')
})
