import {
  Kind,
  parse,
  print,
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  type TypeNode,
} from 'graphql'

/** What says of a type or field that partners may see it, and what takes one back out of a type that is public. */
const publicTag = 'public'
const internalTag = 'internal'

const inaccessible = directivesOf('type T @inaccessible { f: Int }')
const inaccessibleLink = directivesOf(
  'type T @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY) { f: Int }',
)
const inaccessibleDefinition = `directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
  | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION`

interface Tagged {
  readonly directives?: readonly ConstDirectiveNode[] | undefined
}

/**
 * The supergraph of the public contract: the whole one, in which everything that is not tagged `public` is
 * `@inaccessible`. So it is not in the contract, and still there for joins. A tag on a type is a tag on its fields but
 * those tagged `internal`; arguments, inputs, enums and scalars come with the fields that use them. A public field of a
 * type that is not public makes the API schema of the result throw. Null when nothing can be asked.
 */
export function publicSupergraphOf(supergraphSdl: string): string | null {
  const document = parse(supergraphSdl)
  const kept = publicTypesOf(document)
  if (!kept.has('Query')) return null
  const definitions = document.definitions.map((one) => restricted(one, kept))
  const known = definitions.some(
    (one) => one.kind === Kind.DIRECTIVE_DEFINITION && one.name.value === 'inaccessible',
  )
  return print({
    kind: Kind.DOCUMENT,
    definitions: known
      ? definitions
      : [...definitions.map(linked), ...parse(inaccessibleDefinition).definitions],
  })
}

function restricted(node: DefinitionNode, kept: ReadonlySet<string>): DefinitionNode {
  if (!isOwnType(node)) return node
  if (!kept.has(node.name.value)) return hidden(node)
  if (!hasFields(node)) return node
  const fields = (node.fields ?? []).map((field) =>
    isPublicField(node, field) ? field : hidden(field),
  )
  return { ...node, fields }
}

/** Objects with a public field, and every leaf and input that the public fields need. */
function publicTypesOf({ definitions }: DocumentNode): Set<string> {
  const kept = new Set<string>()
  const inputs = new Map<string, readonly InputValueDefinitionNode[]>()
  for (const node of definitions) {
    if (node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION) {
      inputs.set(node.name.value, node.fields ?? [])
    }
  }
  const objects = new Set(definitions.filter(hasFields).map(({ name }) => name.value))
  const keep = (name: string): void => {
    // An object has to be tagged itself: what its fields show is never taken in by the way.
    if (kept.has(name) || objects.has(name)) return
    kept.add(name)
    for (const { type } of inputs.get(name) ?? []) keep(namedType(type))
  }
  for (const node of definitions.filter(hasFields)) {
    const fields = (node.fields ?? []).filter((field) => isPublicField(node, field))
    if (fields.length > 0) kept.add(node.name.value)
    for (const field of fields) {
      keep(namedType(field.type))
      for (const { type } of field.arguments ?? []) keep(namedType(type))
    }
  }
  return kept
}

function isPublicField(type: Tagged, field: FieldDefinitionNode): boolean {
  if (hasTag(field, internalTag)) return false
  return hasTag(field, publicTag) || hasTag(type, publicTag)
}

function hasTag({ directives }: Tagged, tag: string): boolean {
  return (directives ?? []).some(
    ({ name, arguments: given }) =>
      name.value === 'tag' &&
      given?.some(({ value }) => value.kind === Kind.STRING && value.value === tag),
  )
}

function hidden<T extends Tagged>(node: T): T {
  if (node.directives?.some(({ name }) => name.value === 'inaccessible')) return node
  return { ...node, directives: [...(node.directives ?? []), ...inaccessible] }
}

function linked(node: DefinitionNode): DefinitionNode {
  if (node.kind !== Kind.SCHEMA_DEFINITION) return node
  return { ...node, directives: [...(node.directives ?? []), ...inaccessibleLink] }
}

const typeKinds = [
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.UNION_TYPE_DEFINITION,
  Kind.ENUM_TYPE_DEFINITION,
  Kind.SCALAR_TYPE_DEFINITION,
  Kind.INPUT_OBJECT_TYPE_DEFINITION,
] as const
type TypeNodeOfDocument = Extract<DefinitionNode, { kind: (typeof typeKinds)[number] }>
type FieldsNode = Extract<DefinitionNode, { kind: (typeof typeKinds)[0 | 1] }>

/** Types of the graph, and not of the machinery that a supergraph carries (`join__Graph`). */
function isOwnType(node: DefinitionNode): node is TypeNodeOfDocument {
  const kinds: readonly string[] = typeKinds
  return kinds.includes(node.kind) && !(node as TypeNodeOfDocument).name.value.includes('__')
}

function hasFields(node: DefinitionNode): node is FieldsNode {
  return node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION
}

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type)
}

function directivesOf(sdl: string): readonly ConstDirectiveNode[] {
  const [definition] = parse(sdl).definitions
  return definition?.kind === Kind.OBJECT_TYPE_DEFINITION ? (definition.directives ?? []) : []
}
