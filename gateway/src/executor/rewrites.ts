import type { FetchDataRewrite } from '@apollo/query-planner'

import { ownOf, type Fields } from './json.ts'
import type { RuntimeTypes } from './runtime-types.ts'

/** Changes names and values on the way to or from a subgraph that knows the graph by other ones. */
export type Rewrite = (value: unknown) => void

type Step = { readonly field: string } | { readonly type: string }

const onType = '... on '

/** The planner's rewrites, with their paths read once. Null for none. */
export function compileRewrites(
  rewrites: readonly FetchDataRewrite[] | undefined,
  types: RuntimeTypes,
): Rewrite | null {
  if (!rewrites || rewrites.length === 0) return null
  const all = rewrites.flatMap((rewrite) => {
    const last = rewrite.path.at(-1)
    if (last === undefined) return []
    if (last.startsWith(onType)) {
      throw new Error(`Unexpected fragment as last element of ${String(rewrite.path)}`)
    }
    const steps = rewrite.path.slice(0, -1).map(stepOf)
    const change = changeOf(rewrite, last)
    return [(value: unknown) => applyAt(value, steps, 0, change, types)]
  })
  return (value) => {
    for (const one of all) one(value)
  }
}

function stepOf(element: string): Step {
  return element.startsWith(onType) ? { type: element.slice(onType.length) } : { field: element }
}

function changeOf(rewrite: FetchDataRewrite, name: string): (object: Fields) => void {
  if (rewrite.kind === 'ValueSetter') {
    return (object) => {
      object[name] = rewrite.setValueTo
    }
  }
  return (object) => {
    const value = ownOf(object, name)
    if (!value) return
    object[rewrite.renameKeyTo] = value
    object[name] = undefined
  }
}

function applyAt(
  value: unknown,
  steps: readonly Step[],
  at: number,
  change: (object: Fields) => void,
  types: RuntimeTypes,
): void {
  if (Array.isArray(value)) {
    for (const item of value) applyAt(item, steps, at, change, types)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const step = steps[at]
  if (!step) return change(value as Fields)
  if ('field' in step) return applyAt(ownOf(value, step.field), steps, at + 1, change, types)
  const typename = (value as Fields)['__typename']
  if (!typename || types.is(typename, step.type)) applyAt(value, steps, at + 1, change, types)
}
