import { createGraphBuilder } from '@sluice/kit/graph'

import type { Context } from './context.ts'

export const builder = createGraphBuilder<Context>()

builder.queryType({ description: 'What can be asked of identity.' })
builder.mutationType({ description: 'What can be changed in identity.' })

/** The arguments of every list. */
export const pageArgs = {
  first: { description: 'How many rows, at most 100.', defaultValue: 25 },
  after: { description: 'The `endCursor` of the page before.' },
} as const
