import { problemOf, SluiceError } from '@sluice/schema/errors'
import {
  GraphQLError,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  type GraphQLSchema,
  type ValidationRule,
} from 'graphql'

/** Type name → the field names that an alias may not take in a selection on that type. */
export type ShadowableFields = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Which names are forbidden as aliases. From the **full** supergraph: a key or `@requires` input that is
 * `@inaccessible` to clients is still read from the merged object by its name.
 */
export function shadowableFieldsOf(supergraphSchema: GraphQLSchema): ShadowableFields {
  const roots = new Set([
    supergraphSchema.getQueryType()?.name,
    supergraphSchema.getMutationType()?.name,
    supergraphSchema.getSubscriptionType()?.name,
  ])
  const result = new Map<string, Set<string>>()
  for (const type of Object.values(supergraphSchema.getTypeMap())) {
    if (roots.has(type.name)) continue
    const names = new Set<string>()
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const name of Object.keys(type.getFields())) names.add(name)
    }
    if (isAbstractType(type)) {
      for (const possible of supergraphSchema.getPossibleTypes(type)) {
        for (const name of Object.keys(possible.getFields())) names.add(name)
      }
    }
    result.set(type.name, names)
  }
  return result
}

/**
 * Refuses aliases that a later fetch would read as a key or input. The executor merges the answers of all fetches for
 * one entity by response name, and builds the next representation from those names: a client that may choose the name
 * chooses which entity another subgraph is asked for (facts of federation, alias forging).
 */
export function aliasRule(shadowable: ShadowableFields): ValidationRule {
  return (context) => ({
    Field(node) {
      const alias = node.alias?.value
      if (alias === undefined || alias === node.name.value) return
      const parent = context.getParentType()?.name
      const taken = parent !== undefined && shadowable.get(parent)?.has(alias)
      if (!alias.startsWith('__') && !taken) return
      const error = new SluiceError('SLUICE_ALIAS_SHADOWS_FIELD', { alias })
      context.reportError(
        new GraphQLError(error.message, { nodes: node, extensions: problemOf(error) }),
      )
    },
  })
}
