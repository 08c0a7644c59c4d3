import { isAbstractType, isInterfaceType, isObjectType, type GraphQLSchema } from 'graphql'

/** Which types an object of a name belongs to, looked up once per pair. */
export interface RuntimeTypes {
  /** Whether objects that say they are `typename` belong to `condition`. */
  is(typename: unknown, condition: string): boolean
}

export function runtimeTypesOf(supergraphSchema: GraphQLSchema): RuntimeTypes {
  const members = new Map<string, Set<string>>()

  function membersOf(condition: string): Set<string> {
    const known = members.get(condition)
    if (known) return known
    const names = new Set([condition])
    members.set(condition, names)
    const type = supergraphSchema.getType(condition)
    if (!type || !isAbstractType(type)) return names
    for (const other of Object.values(supergraphSchema.getTypeMap())) {
      if (!isObjectType(other) && !isInterfaceType(other)) continue
      if (supergraphSchema.isSubType(type, other)) names.add(other.name)
    }
    return names
  }

  return { is: (typename, condition) => membersOf(condition).has(typename as string) }
}
