import type { executeQueryPlan } from '@apollo/gateway'

import { prepareQuery, type Sources } from './fetch.ts'

type ServiceMap = Parameters<typeof executeQueryPlan>[1]
type Answer = Awaited<ReturnType<ServiceMap[string]['process']>>

/** Our sources as the executor of `@apollo/gateway` knows them. It changes what it is given, so it gets a copy. */
export function apolloSources(sources: Sources): ServiceMap {
  return Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [
      name,
      {
        async process({ request, context }): Promise<Answer> {
          const { query = '', operationName } = request
          const { representations, ...variables } = request.variables ?? {}
          const texts = Array.isArray(representations)
            ? representations.map((one) => JSON.stringify(one))
            : null
          const prepared = prepareQuery(query, operationName)
          const { data, errors } = await source.fetch(prepared, variables, texts, context)
          return { data: copyOf(data), ...(errors ? { errors } : {}) } as Answer
        },
      },
    ]),
  )
}

/** Through text, not `structuredClone`: what is one object in two places becomes two. */
function copyOf(data: unknown): unknown {
  return data === undefined ? undefined : (JSON.parse(JSON.stringify(data)) as unknown)
}
