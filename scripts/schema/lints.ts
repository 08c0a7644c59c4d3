import {
  Kind,
  parse,
  visit,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type InterfaceTypeDefinitionNode,
  type InterfaceTypeExtensionNode,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
} from 'graphql'

type FieldsNode =
  | ObjectTypeDefinitionNode
  | ObjectTypeExtensionNode
  | InterfaceTypeDefinitionNode
  | InterfaceTypeExtensionNode

interface TypeInSubgraph {
  readonly subgraph: string
  readonly node: FieldsNode
}

/** Directives that the Apollo gateway does not load, or that its executor does not do. */
const unsupported = new Set([
  'authenticated',
  'requiresScopes',
  'policy',
  'context',
  'fromContext',
  'cacheTag',
  'defer',
  'stream',
])
const fieldSetDirectives = new Set(['key', 'requires', 'provides'])
const rootTypes = new Set(['Query', 'Mutation', 'Subscription'])

/** Mistakes that compose without a word, and then leak, forge or break at run time. */
export function lintSubgraphs(subgraphs: Readonly<Record<string, DocumentNode>>): string[] {
  const types = Object.entries(subgraphs).flatMap(([subgraph, { definitions }]) =>
    definitions.filter(hasFields).map((node): TypeInSubgraph => ({ subgraph, node })),
  )
  return [
    ...keysTakeNoArguments(types),
    ...joinedFieldsAreNullable(types),
    ...onlySupportedDirectives(subgraphs),
    ...everythingIsDescribed(types),
    ...oneOwnerPerSubscription(types),
  ]
}

/** An argument of a field that another subgraph reads would let a client choose the value (facts of federation §3.2). */
function keysTakeNoArguments(types: readonly TypeInSubgraph[]): string[] {
  const read = new Set<string>()
  for (const { node } of types) {
    for (const name of fieldSetsOf(node.directives)) read.add(`${node.name.value}.${name}`)
    for (const field of node.fields ?? []) {
      const requires = fieldSetsOf(field.directives, 'requires')
      for (const name of requires) read.add(`${node.name.value}.${name}`)
      const provides = fieldSetsOf(field.directives, 'provides')
      for (const name of provides) read.add(`${namedType(field)}.${name}`)
    }
  }
  return types.flatMap(({ subgraph, node }) =>
    (node.fields ?? [])
      .filter(({ name }) => read.has(`${node.name.value}.${name.value}`))
      .filter((field) => (field.arguments ?? []).length > 0)
      .map(
        ({ name }) =>
          `${subgraph}: ${node.name.value}.${name.value} is read by another subgraph, so it may take no arguments.`,
      ),
  )
}

/** One subgraph that is down greys a panel, not the page. */
function joinedFieldsAreNullable(types: readonly TypeInSubgraph[]): string[] {
  const owner = ownersOf(types)
  return types.flatMap(({ subgraph, node }) => {
    const isForeign = (name: string) => {
      const owned = owner.get(name)
      return owned !== undefined && owned !== subgraph
    }
    return (node.fields ?? []).flatMap((field) => {
      const at = `${subgraph}: ${node.name.value}.${field.name.value}`
      const nonNull = field.type.kind === Kind.NON_NULL_TYPE
      if (!nonNull || isExternal(field)) return []
      if (isForeign(node.name.value) && !isKeyOf(node, field.name.value)) {
        return [`${at} joins another subgraph’s type, so it must be nullable.`]
      }
      if (isForeign(namedType(field))) {
        return [`${at} is resolved by another subgraph, so it must be nullable.`]
      }
      return []
    })
  })
}

/** The subgraph that says most about an entity owns it; what all share, such as PageInfo, nobody does. */
function ownersOf(types: readonly TypeInSubgraph[]): Map<string, string> {
  const most = new Map<string, { subgraph: string; fields: number }>()
  for (const { subgraph, node } of types) {
    if (rootTypes.has(node.name.value) || !directive(node.directives, 'key')) continue
    const own = (node.fields ?? []).filter((field) => !isExternal(field)).length
    const stub = isExtension(node, types) ? 0 : own
    const known = most.get(node.name.value)
    if (!known || known.fields < stub) most.set(node.name.value, { subgraph, fields: stub })
  }
  return new Map([...most].map(([name, { subgraph }]) => [name, subgraph]))
}

function onlySupportedDirectives(subgraphs: Readonly<Record<string, DocumentNode>>): string[] {
  const problems: string[] = []
  for (const [subgraph, document] of Object.entries(subgraphs)) {
    visit(document, {
      Directive({ name }) {
        if (unsupported.has(name.value)) {
          problems.push(`${subgraph}: the gateway does not support @${name.value}.`)
        }
      },
    })
  }
  return problems
}

function everythingIsDescribed(types: readonly TypeInSubgraph[]): string[] {
  const described = new Set(
    types.flatMap(({ node }) =>
      (node.fields ?? [])
        .filter(({ description }) => description)
        .map(({ name }) => `${node.name.value}.${name.value}`),
    ),
  )
  return types.flatMap(({ subgraph, node }) =>
    (node.fields ?? [])
      .map(({ name }) => `${node.name.value}.${name.value}`)
      .filter((field) => !described.has(field))
      .map((field) => `${subgraph}: ${field} has no description.`),
  )
}

function oneOwnerPerSubscription(types: readonly TypeInSubgraph[]): string[] {
  const owners = new Map<string, string>()
  const problems: string[] = []
  for (const { subgraph, node } of types) {
    if (node.name.value !== 'Subscription') continue
    for (const { name } of node.fields ?? []) {
      const other = owners.get(name.value)
      if (other) problems.push(`Subscription.${name.value} is in ${other} and in ${subgraph}.`)
      owners.set(name.value, subgraph)
    }
  }
  return problems
}

function hasFields(node: DocumentNode['definitions'][number]): node is FieldsNode {
  return (
    node.kind === Kind.OBJECT_TYPE_DEFINITION ||
    node.kind === Kind.OBJECT_TYPE_EXTENSION ||
    node.kind === Kind.INTERFACE_TYPE_DEFINITION ||
    node.kind === Kind.INTERFACE_TYPE_EXTENSION
  )
}

/** `extend type`, or `@extends`: says itself that the type is somebody else's. */
function isExtension(node: FieldsNode, types: readonly TypeInSubgraph[]): boolean {
  const isMarked =
    node.kind === Kind.OBJECT_TYPE_EXTENSION || directive(node.directives, 'extends') !== undefined
  const definedElsewhere = types.some(
    (one) =>
      one.node.name.value === node.name.value && one.node.kind === Kind.OBJECT_TYPE_DEFINITION,
  )
  return isMarked && definedElsewhere
}

function isExternal(field: FieldDefinitionNode): boolean {
  return directive(field.directives, 'external') !== undefined
}

function isKeyOf(node: FieldsNode, field: string): boolean {
  return fieldSetsOf(node.directives, 'key').includes(field)
}

function directive(
  directives: readonly ConstDirectiveNode[] | undefined,
  name: string,
): ConstDirectiveNode | undefined {
  return directives?.find((one) => one.name.value === name)
}

/** Top-level field names in the field sets of these directives. */
function fieldSetsOf(
  directives: readonly ConstDirectiveNode[] | undefined,
  only?: string,
): string[] {
  return (directives ?? [])
    .filter(({ name }) => (only ? name.value === only : fieldSetDirectives.has(name.value)))
    .flatMap(({ arguments: given }) => given ?? [])
    .filter(({ name, value }) => name.value === 'fields' && value.kind === Kind.STRING)
    .flatMap(({ value }) => namesIn(value.kind === Kind.STRING ? value.value : ''))
}

function namesIn(fieldSet: string): string[] {
  const names: string[] = []
  visit(parse(`{ ${fieldSet} }`), { Field: ({ name }) => void names.push(name.value) })
  return names
}

function namedType({ type }: FieldDefinitionNode): string {
  let inner = type
  while (inner.kind !== Kind.NAMED_TYPE) inner = inner.type
  return inner.name.value
}
