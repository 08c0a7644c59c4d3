import { createGraphBuilder } from '@sluice/kit/graph'

import type { Context } from './context.ts'

export const builder = createGraphBuilder<Context>()

builder.queryType({ description: 'What can be read.' })
builder.mutationType({ description: 'What can be changed.' })
builder.subscriptionType({ description: 'What can be followed live.' })
