import { problemOf, SluiceError, type Details, type ErrorCode } from '@sluice/schema/errors'
import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  type ASTNode,
  type SelectionNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql'

/**
 * `@skip` or `@include` at the root of a subscription, in fragments too, makes the planner throw, and graphql-js's own
 * rule about subscriptions as well when it holds a variable: this rule has to run before those of the specification.
 */
export const subscriptionRootRule: ValidationRule = (context) => ({
  OperationDefinition(node) {
    if (node.operation !== OperationTypeNode.SUBSCRIPTION) return
    const root = rootSelections(node.selectionSet.selections, context, new Set())
    const conditional = root.find(({ directives }) =>
      directives?.some(({ name }) => ['skip', 'include'].includes(name.value)),
    )
    if (!conditional) return
    const reason = 'the root field of a subscription takes neither @skip nor @include'
    context.reportError(refusal('SLUICE_INPUT_INVALID', { reason }, conditional))
  },
})

/** The executor gives entity fetches a variable of this name. */
export const variableNameRule: ValidationRule = (context) => ({
  VariableDefinition(node) {
    if (node.variable.name.value !== 'representations') return
    const reason = 'a variable may not be named $representations'
    context.reportError(refusal('SLUICE_INPUT_INVALID', { reason }, node))
  },
})

/** Everything that stands at the root, fragments opened. A fragment that contains itself is opened once. */
function rootSelections(
  selections: readonly SelectionNode[],
  context: ValidationContext,
  opened: Set<string>,
): SelectionNode[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection]
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      return [selection, ...rootSelections(selection.selectionSet.selections, context, opened)]
    }
    const { value: name } = selection.name
    const fragment = opened.has(name) ? undefined : context.getFragment(name)
    opened.add(name)
    const inner = fragment?.selectionSet.selections ?? []
    return [selection, ...rootSelections(inner, context, opened)]
  })
}

function refusal(code: ErrorCode, details: Details, nodes: ASTNode): GraphQLError {
  const error = new SluiceError(code, details)
  return new GraphQLError(error.message, { nodes, extensions: problemOf(error) })
}
