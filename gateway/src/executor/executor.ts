import {
  operationFromDocument,
  type FieldSelection,
  type Operation,
  type Schema,
} from '@apollo/federation-internals'
import { evaluateCondition, type FetchNode, type PlanNode } from '@apollo/query-planner'
import {
  executeSync,
  GraphQLError,
  Kind,
  OperationTypeNode,
  visit,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type VariableDefinitionNode,
} from 'graphql'

import {
  compileAnswer,
  compileFetch,
  type FetchAnswer,
  type Part,
  type Run,
  type Sources,
} from './fetch.ts'
import type { RuntimeTypes } from './runtime-types.ts'
import { compileShape } from './shape.ts'

/** What `executeQueryPlan` of `@apollo/gateway` would give. */
export interface RawResult {
  data?: unknown
  errors?: readonly unknown[]
  extensions?: Readonly<Record<string, unknown>>
}

/** What a plan runs with. */
export interface PlanRequest {
  readonly variables: Readonly<Record<string, unknown>>
  /** Reaches the sources. */
  readonly context: object
}

/** A plan made ready to run any number of times. Null: these variables are of no use to it, for a condition is no boolean. */
export interface Executable {
  run(sources: Sources, request: PlanRequest): Promise<RawResult> | null
  /** Goes on from answers to the fetch that was `given`, all at once: one result each, in their order. */
  runFrom(
    answers: readonly FetchAnswer[],
    sources: Sources,
    request: PlanRequest,
  ): Promise<RawResult[]> | null
}

interface Compiled {
  readonly operation: Operation
  readonly types: RuntimeTypes
}

/** A step of a plan, on all that is known so far. */
type Step = (run: Run) => Promise<void>

/**
 * Works out once per plan what `executeQueryPlan` works out per request: the operation, the result's shape, the keys of
 * entities, the paths, the requests' texts. Null for a plan that it does not take.
 */
export function compilePlan(options: {
  node: PlanNode | undefined
  /** A fetch before it that is answered from outside: the one that a subscription opens. */
  given: FetchNode | null
  document: DocumentNode
  operationName: string | undefined
  api: Schema
  apiSchema: GraphQLSchema
  types: RuntimeTypes
}): Executable | null {
  const { node, given, document, operationName, api, apiSchema, types } = options
  if ((node && !isTaken(node)) || (given && !isTaken(given))) return null
  const definition = definitionOf(document, operationName)
  const operation = operationFromDocument(
    api,
    {
      kind: Kind.DOCUMENT,
      definitions: [
        definition,
        ...document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION),
      ],
    },
    { validate: false },
  )
  const shape = compileShape(operation)
  const conditions = Array.from(shape.conditions)
  const defaults = operation.collectDefaultedVariableValues()
  const execute = node && compileNode(node, { operation, types })
  const receive = given && compileAnswer(given, [], types)
  const introspection = createIntrospection(apiSchema, definition.variableDefinitions ?? [])

  /** Every variable that is used, or null where a condition has none. */
  function variablesOf({ variables }: PlanRequest): Readonly<Record<string, unknown>> | null {
    const all = { ...defaults, ...variables }
    for (const name of conditions) if (typeof all[name] !== 'boolean') return null
    return all
  }

  function resultOf(
    { result, errors, fault }: Part,
    variables: Readonly<Record<string, unknown>>,
    all: Readonly<Record<string, unknown>>,
  ): RawResult {
    if (fault !== undefined) return { errors: [fault] }
    const missing: GraphQLError[] = []
    try {
      const data = shape.apply(result, {
        variables: all,
        introspect: (selection) => introspection(selection, variables),
        errors: missing,
        path: [],
      })
      if (errors.length > 0) return { errors, data }
      return missing.length > 0 ? { extensions: { valueCompletion: missing }, data } : { data }
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error] }
      const { message } = error as Error
      return { errors: [new GraphQLError(message, { originalError: error as Error })] }
    }
  }

  async function runParts(
    parts: readonly Part[],
    sources: Sources,
    request: PlanRequest,
    all: Readonly<Record<string, unknown>>,
  ): Promise<RawResult[]> {
    const { variables, context } = request
    if (execute) await execute({ sources, variables, context, parts })
    return parts.map((part) => resultOf(part, variables, all))
  }

  return {
    run(sources, request) {
      const all = variablesOf(request)
      const parts = [newPart()]
      return all && runParts(parts, sources, request, all).then(([only]) => only as RawResult)
    },
    runFrom(answers, sources, request) {
      const all = variablesOf(request)
      if (!all) return null
      const parts = answers.map((answer) => {
        const part = newPart()
        receive?.(part, answer)
        return part
      })
      return runParts(parts, sources, request, all)
    },
  }
}

function newPart(): Part {
  return { result: {}, errors: [] }
}

/** Not taken: `@defer`, which no plan of ours has, and paths below paths, which the planner does not make. */
function isTaken(node: PlanNode): boolean {
  switch (node.kind) {
    case 'Fetch':
      return !node.contextRewrites
    case 'Flatten':
      return node.node.kind === 'Fetch' && isTaken(node.node)
    case 'Sequence':
    case 'Parallel':
      return node.nodes.every(isTaken)
    case 'Condition':
      return [node.ifClause, node.elseClause].every((branch) => !branch || isTaken(branch))
    case 'Defer':
      return false
    default:
      return false
  }
}

function compileNode(node: PlanNode, compiled: Compiled): Step {
  switch (node.kind) {
    case 'Fetch':
      return compileFetch(node, [], compiled.types)
    case 'Flatten':
      return compileFetch(node.node as FetchNode, node.path, compiled.types)
    case 'Sequence': {
      const steps = node.nodes.map((inner) => compileNode(inner, compiled))
      return async (run) => {
        for (const step of steps) await step(run)
      }
    }
    case 'Parallel': {
      const steps = node.nodes.map((inner) => compileNode(inner, compiled))
      return async (run) => {
        // Through an async function, as Apollo's: of two parts that fail at once the same one is first.
        await Promise.all(steps.map(async (step) => step(run)))
      }
    }
    case 'Condition': {
      const { ifClause, elseClause } = node
      const whenTrue = ifClause && compileNode(ifClause, compiled)
      const whenFalse = elseClause && compileNode(elseClause, compiled)
      const { variableDefinitions } = compiled.operation
      return async (run) => {
        const isTrue = evaluateCondition(node, variableDefinitions, run.variables)
        await (isTrue ? whenTrue : whenFalse)?.(run)
      }
    }
    case 'Defer':
    default:
      throw new Error('@defer is not taken')
  }
}

function definitionOf(document: DocumentNode, name: string | undefined): OperationDefinitionNode {
  const found = document.definitions.findLast(
    (one): one is OperationDefinitionNode =>
      one.kind === Kind.OPERATION_DEFINITION && (!name || one.name?.value === name),
  )
  if (!found) throw new Error('there is no such operation')
  return found
}

/** `__schema` and `__type` are answered here, each from a document that is made once. */
function createIntrospection(
  schema: GraphQLSchema,
  variableDefinitions: readonly VariableDefinitionNode[],
): (selection: FieldSelection, variables: Readonly<Record<string, unknown>>) => unknown {
  const documents = new Map<FieldSelection, DocumentNode>()

  function documentOf(selection: FieldSelection): DocumentNode {
    const node = selection.expandFragments().toSelectionNode()
    const used = new Set<string>()
    visit(node, { Variable: ({ name }) => void used.add(name.value) })
    return {
      kind: Kind.DOCUMENT,
      definitions: [
        {
          kind: Kind.OPERATION_DEFINITION,
          operation: OperationTypeNode.QUERY,
          variableDefinitions: variableDefinitions.filter(({ variable }) =>
            used.has(variable.name.value),
          ),
          selectionSet: { kind: Kind.SELECTION_SET, selections: [node] },
        },
      ],
    }
  }

  return (selection, variables) => {
    let document = documents.get(selection)
    if (!document) {
      document = documentOf(selection)
      documents.set(selection, document)
    }
    const { data, errors } = executeSync({
      schema,
      document,
      rootValue: {},
      variableValues: variables,
    })
    if (errors || !data) {
      throw new Error(
        `Introspection query for ${JSON.stringify(selection.expandFragments().toSelectionNode())} should not have failed but got ${JSON.stringify(errors)}`,
      )
    }
    return data[selection.element.responseName()]
  }
}
