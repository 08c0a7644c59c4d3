import { buildASTSchema, buildSchema, findBreakingChanges, Kind, parse, visit } from 'graphql'

import { schemaFolder } from './files.ts'

/** The contract as it was last promised to partners. Only `npm run schema publish` moves it. */
export const publishedPath = `${schemaFolder}/public.published.graphql`

/**
 * What a partner who relies on the published contract would lose with the new one, one sentence each. What was published
 * as deprecated may go: that is how something is taken back.
 */
export function brokenPromises(publishedSdl: string, newSdl: string): string[] {
  const published = buildASTSchema(withoutDeprecated(publishedSdl))
  return findBreakingChanges(published, buildSchema(newSdl)).map(
    ({ description }) =>
      `The contract with partners is broken: ${description.replace(/\.?$/, '.')} Deprecate it, publish that, and take it away later.`,
  )
}

function withoutDeprecated(sdl: string) {
  const dropDeprecated = {
    enter: (node: { directives?: readonly { name: { value: string } }[] | undefined }) =>
      node.directives?.some(({ name }) => name.value === 'deprecated') ? null : undefined,
  }
  return visit(parse(sdl), {
    [Kind.FIELD_DEFINITION]: dropDeprecated,
    [Kind.INPUT_VALUE_DEFINITION]: dropDeprecated,
    [Kind.ENUM_VALUE_DEFINITION]: dropDeprecated,
  })
}
