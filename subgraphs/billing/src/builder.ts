import { createGraphBuilder } from '@sluice/kit/graph'

import type { Context } from './context.ts'

export const builder = createGraphBuilder<Context>()
builder.queryType()
builder.mutationType()
