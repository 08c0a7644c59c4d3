import { problemOf, SluiceError, type Details, type ErrorCode } from '@sluice/schema/errors'
import { GraphQLError, OperationTypeNode, type ASTNode, type ValidationRule } from 'graphql'

/** `@skip` or `@include` on a subscription's root field would make the planner throw: there is nothing to plan. */
export const subscriptionRootRule: ValidationRule = (context) => ({
  OperationDefinition(node) {
    if (node.operation !== OperationTypeNode.SUBSCRIPTION) return
    for (const selection of node.selectionSet.selections) {
      const conditional = selection.directives?.find(({ name }) =>
        ['skip', 'include'].includes(name.value),
      )
      if (!conditional) continue
      const reason = 'the root field of a subscription takes neither @skip nor @include'
      context.reportError(refusal('SLUICE_INPUT_INVALID', { reason }, conditional))
    }
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

function refusal(code: ErrorCode, details: Details, nodes: ASTNode): GraphQLError {
  const error = new SluiceError(code, details)
  return new GraphQLError(error.message, { nodes, extensions: problemOf(error) })
}
