import {
  Kind,
  visit,
  type DocumentNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql'

import { tooLarge } from './lex-limits.ts'
import type { Limits } from './limits.ts'

/** What a document weighs as it is written. Cheap and not recursive into fragments: runs before validation. */
export function assertWrittenSize(document: DocumentNode, limits: Limits): void {
  let aliases = 0
  let directives = 0
  let fields = 0
  visit(document, {
    Field(node) {
      fields += 1
      if (node.alias) aliases += 1
    },
    Directive() {
      directives += 1
    },
  })
  if (aliases > limits.aliasesMax) throw tooLarge(`at most ${limits.aliasesMax} aliases`)
  if (directives > limits.directivesMax)
    throw tooLarge(`at most ${limits.directivesMax} directives`)
  if (fields > limits.fieldsMax) throw tooLarge(`at most ${limits.fieldsMax} fields`)
}

interface Size {
  depth: number
  fields: number
}

/**
 * What a document weighs with every fragment opened where it is spread: a few nested fragments can stand for millions
 * of fields. Needs a validated document, for a fragment that contains itself would never end.
 */
export function assertOpenedSize(document: DocumentNode, limits: Limits): void {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one)
  }
  const measured = new Map<string, Size>()

  const sizeOf = ({ selections }: SelectionSetNode): Size => {
    const size: Size = { depth: 0, fields: 0 }
    for (const selection of selections) {
      const inner = innerOf(selection)
      const own = selection.kind === Kind.FIELD ? 1 : 0
      size.depth = Math.max(size.depth, inner.depth + own)
      size.fields += inner.fields + own
    }
    return size
  }
  const innerOf = (selection: SelectionSetNode['selections'][number]): Size => {
    if (selection.kind !== Kind.FRAGMENT_SPREAD) {
      return selection.selectionSet ? sizeOf(selection.selectionSet) : { depth: 0, fields: 0 }
    }
    const { value: name } = selection.name
    const known = measured.get(name)
    if (known) return known
    const fragment = fragments.get(name)
    const size = fragment ? sizeOf(fragment.selectionSet) : { depth: 0, fields: 0 }
    measured.set(name, size)
    return size
  }

  for (const one of document.definitions) {
    if (one.kind !== Kind.OPERATION_DEFINITION) continue
    const { depth, fields } = sizeOf(one.selectionSet)
    if (depth > limits.depthMax) throw tooLarge(`at most ${limits.depthMax} levels of fields`)
    if (fields > limits.fieldsMax) throw tooLarge(`at most ${limits.fieldsMax} fields`)
  }
}
