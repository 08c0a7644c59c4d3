import { printSubgraphSchema } from '@apollo/subgraph'
import { expect, test } from 'vitest'

import { schema } from './schema.ts'

test('the contract is the committed one', async () => {
  const sdl = printSubgraphSchema(schema)

  expect(sdl).toContain('@key(fields: "id")')
  await expect(`${sdl}\n`).toMatchFileSnapshot('../../../schema/subgraphs/tunnels.graphql')
})
