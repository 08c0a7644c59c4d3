import {
  Kind,
  OperationTypeNode,
  parse,
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type TypeNode,
  type ValueNode,
} from 'graphql'

/**
 * Weights of the IBM GraphQL cost specification where the schema states none by `@cost`: what has fields 1, leaves 0.
 * The cost of a field is its weight and that of its selections, times the rows it may have (`@listSize`).
 */
const compositeWeight = 1
const mutationWeight = 10
const introspectionWeight = 20
/** Rows of a list that states no size. */
const assumedRows = 10
/** What a subscription costs is the price of this many of its events. */
export const eventsPerPrice = 10

type Variables = Readonly<Record<string, unknown>>

interface ListSize {
  readonly assumedSize: number | null
  readonly slicingArguments: readonly string[]
  readonly sizedFields: readonly string[]
}

/** One field of the schema, as far as its cost goes. */
interface FieldCost {
  readonly type: string
  readonly isList: boolean
  readonly weight: number
  readonly listSize: ListSize | null
  /** Slicing arguments that have a default. */
  readonly defaults: Variables
}

export interface CostEstimator {
  /**
   * What the operation costs at most, before it runs. Needs a validated document, whose size after opening fragments is
   * bounded. Each alias counts; fragments on several types are added up.
   */
  costOf(document: DocumentNode, operation: OperationDefinitionNode, variables: Variables): number
}

export function createCostEstimator(supergraphSdl: string): CostEstimator {
  const fields = fieldCostsOf(parse(supergraphSdl))
  return {
    costOf(document, operation, variables) {
      const given = { ...defaultsOf(operation), ...variables }
      const cost = walk(fields, fragmentsOf(document), given)
      const selected = cost(operation.selectionSet, rootTypes[operation.operation], null)
      if (operation.operation === OperationTypeNode.SUBSCRIPTION) return selected * eventsPerPrice
      return Math.min(selected, Number.MAX_SAFE_INTEGER)
    },
  }
}

const rootTypes: Readonly<Record<OperationTypeNode, string>> = {
  query: 'Query',
  mutation: 'Mutation',
  subscription: 'Subscription',
}

/** `rows`: of those fields to which the field above passes its size on. */
type Rows = { readonly of: readonly string[]; readonly count: number } | null

function walk(
  fields: ReadonlyMap<string, FieldCost>,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: Variables,
) {
  function ofSelections({ selections }: SelectionSetNode, type: string, rows: Rows): number {
    let cost = 0
    for (const selection of selections) {
      if (!isSkipped(selection, variables)) cost += ofSelection(selection, type, rows)
    }
    return cost
  }

  function ofSelection(selection: SelectionNode, type: string, rows: Rows): number {
    if (selection.kind === Kind.FIELD) return ofField(selection, type, rows)
    const fragment =
      selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value)
    if (!fragment) return 0
    const { typeCondition, selectionSet } = fragment
    return ofSelections(selectionSet, typeCondition?.name.value ?? type, rows)
  }

  function ofField(node: FieldNode, type: string, rows: Rows): number {
    const name = node.name.value
    if (name === '__typename') return 0
    const field = fields.get(`${type}.${name}`)
    if (!field) return introspectionWeight
    const size = field.listSize ? sizeOf(field, field.listSize, node, variables) : assumedRows
    const passed =
      field.listSize && field.listSize.sizedFields.length > 0
        ? { of: field.listSize.sizedFields, count: size }
        : null
    const inner = node.selectionSet ? ofSelections(node.selectionSet, field.type, passed) : 0
    const own = field.weight + inner
    if (!field.isList) return own
    return own * (rows?.of.includes(name) ? rows.count : size)
  }

  return ofSelections
}

function sizeOf(
  { defaults }: FieldCost,
  { slicingArguments, assumedSize }: ListSize,
  node: FieldNode,
  variables: Variables,
): number {
  const sizes = slicingArguments.flatMap((name) => {
    const given = node.arguments?.find((one) => one.name.value === name)?.value
    const size = (given ? valueOf(given, variables) : null) ?? defaults[name]
    return typeof size === 'number' ? [Math.max(0, size)] : []
  })
  return sizes.length > 0 ? Math.max(...sizes) : (assumedSize ?? assumedRows)
}

function isSkipped({ directives }: SelectionNode, variables: Variables): boolean {
  return (directives ?? []).some(({ name, arguments: given }) => {
    const condition = given?.[0] ? valueOf(given[0].value, variables) : null
    if (name.value === 'skip') return condition === true
    return name.value === 'include' && condition === false
  })
}

/** What matters here of a value: numbers and booleans. */
function valueOf(node: ValueNode, variables: Variables): unknown {
  if (node.kind === Kind.VARIABLE) return variables[node.name.value]
  if (node.kind === Kind.INT) return Number(node.value)
  return node.kind === Kind.BOOLEAN ? node.value : null
}

function defaultsOf(operation: OperationDefinitionNode): Variables {
  return Object.fromEntries(
    (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
      defaultValue ? [[variable.name.value, valueOf(defaultValue, {})]] : [],
    ),
  )
}

function fragmentsOf({ definitions }: DocumentNode): Map<string, FragmentDefinitionNode> {
  const fragments = definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION)
  return new Map(fragments.map((one) => [one.name.value, one]))
}

function fieldCostsOf({ definitions }: DocumentNode): Map<string, FieldCost> {
  const weights = new Map<string, number>()
  for (const node of definitions) {
    if (!isWeighed(node)) continue
    const isComposite = 'fields' in node || node.kind === Kind.UNION_TYPE_DEFINITION
    const stated = numberOf(node.directives, 'cost', 'weight')
    weights.set(node.name.value, stated ?? (isComposite ? compositeWeight : 0))
  }

  const costOf = (type: string, { type: returned, ...field }: FieldDefinitionNode): FieldCost => {
    const named = namedType(returned)
    const ofType = weights.get(named) ?? 0
    const stated = numberOf(field.directives, 'cost', 'weight')
    const extra = type === rootTypes.mutation ? mutationWeight : 0
    const defaults = (field.arguments ?? []).map(({ name, defaultValue }) => [
      name.value,
      defaultValue ? valueOf(defaultValue, {}) : null,
    ])
    return {
      type: named,
      isList: isList(returned),
      weight: stated ?? ofType + extra,
      listSize: listSizeOf(field.directives),
      defaults: Object.fromEntries(defaults),
    }
  }

  return new Map(
    definitions
      .filter(
        (node) =>
          node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION,
      )
      .flatMap(({ name: { value: type }, fields }) =>
        (fields ?? []).map(
          (field) => [`${type}.${field.name.value}`, costOf(type, field)] as const,
        ),
      ),
  )
}

function isWeighed(node: DefinitionNode) {
  return (
    node.kind === Kind.OBJECT_TYPE_DEFINITION ||
    node.kind === Kind.INTERFACE_TYPE_DEFINITION ||
    node.kind === Kind.UNION_TYPE_DEFINITION ||
    node.kind === Kind.ENUM_TYPE_DEFINITION ||
    node.kind === Kind.SCALAR_TYPE_DEFINITION
  )
}

function listSizeOf(directives: readonly ConstDirectiveNode[] | undefined): ListSize | null {
  if (!directives?.some(({ name }) => name.value === 'listSize')) return null
  return {
    assumedSize: numberOf(directives, 'listSize', 'assumedSize'),
    slicingArguments: textsOf(directives, 'listSize', 'slicingArguments'),
    sizedFields: textsOf(directives, 'listSize', 'sizedFields'),
  }
}

function argumentOf(
  directives: readonly ConstDirectiveNode[] | undefined,
  directive: string,
  argument: string,
) {
  return directives
    ?.find(({ name }) => name.value === directive)
    ?.arguments?.find(({ name }) => name.value === argument)?.value
}

function numberOf(
  directives: readonly ConstDirectiveNode[] | undefined,
  directive: string,
  argument: string,
): number | null {
  const value = argumentOf(directives, directive, argument)
  return value?.kind === Kind.INT ? Number(value.value) : null
}

function textsOf(
  directives: readonly ConstDirectiveNode[] | undefined,
  directive: string,
  argument: string,
): string[] {
  const value = argumentOf(directives, directive, argument)
  if (value?.kind !== Kind.LIST) return []
  return value.values.flatMap((one) => (one.kind === Kind.STRING ? [one.value] : []))
}

function isList(type: TypeNode): boolean {
  return type.kind === Kind.NON_NULL_TYPE ? isList(type.type) : type.kind === Kind.LIST_TYPE
}

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type)
}
