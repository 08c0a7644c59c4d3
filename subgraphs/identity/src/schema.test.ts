import { printSubgraphSchema } from '@apollo/subgraph'
import { expect, test } from 'vitest'

import { schema } from './schema.ts'

test('the graph of identity is the committed one, with its entities', async () => {
  const sdl = printSubgraphSchema(schema)

  expect(sdl).toContain('@key(fields: "id")')
  await expect(`${sdl}\n`).toMatchFileSnapshot('../../../schema/subgraphs/identity.graphql')
})
