import { SluiceError } from '@sluice/schema/errors'
import {
  GraphQLError,
  parse,
  specifiedRules,
  validate,
  visit,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql'
import { LRUCache } from 'lru-cache'

import { aliasRule, type ShadowableFields } from './alias-rule.ts'
import { documentError } from './check-operation.ts'
import { canonicalText, documentIdOf, type Manifest } from './document-id.ts'
import { assertOpenedSize, assertWrittenSize } from './document-size.ts'
import { assertLexable } from './lex-limits.ts'
import type { Limits } from './limits.ts'
import { subscriptionRootRule, variableNameRule } from './operation-rules.ts'

/** A document with everything that can be known of it before anybody asks to run it. */
export interface CheckedDocument {
  /** Equal for texts that mean the same. */
  readonly canonicalId: string
  readonly document: DocumentNode
  /** The name under which it is registered, or null. */
  readonly registeredAs: string | null
  readonly introspects: boolean
  /** What makes it unusable for everybody. Found at the first call: whoever may not send it costs no validation. */
  errors(): readonly GraphQLError[]
}

export interface Documents {
  /**
   * Throws a SluiceError for what is too large, unparsable or, by id alone, unknown. An id is known when it is registered,
   * and for a while after somebody has sent its text: whether that may be run is asked behind.
   */
  check(sent: { text: string } | { id: string }): CheckedDocument
}

const validationErrorsMax = 20

/** Parses and validates each text once per generation. Only what is valid is kept: junk cannot push out what is used. */
export function createDocuments(options: {
  apiSchema: GraphQLSchema
  shadowable: ShadowableFields
  manifest: Manifest
  limits: Limits
}): Documents {
  const { apiSchema, manifest, limits } = options
  const firstRules = [subscriptionRootRule, variableNameRule]
  const rules = [...specifiedRules, aliasRule(options.shadowable)]
  const known = new LRUCache<string, CheckedDocument>({ max: limits.documentsCachedMax })

  const entryOf = (id: string) => (Object.hasOwn(manifest, id) ? manifest[id] : undefined)

  function errorsOf(document: DocumentNode): readonly GraphQLError[] {
    for (const some of [firstRules, rules]) {
      const errors = validate(apiSchema, document, some, {
        maxErrors: validationErrorsMax,
        hideSuggestions: true,
      })
      if (errors.length > 0) return errors.map(documentError)
    }
    assertOpenedSize(document, limits)
    return []
  }

  function checkText(id: string, text: string): CheckedDocument {
    const document = parsed(text, limits)
    assertWrittenSize(document, limits)
    const canonicalId = documentIdOf(canonicalText(document))
    const entry = entryOf(id) ?? entryOf(canonicalId)
    let errors: readonly GraphQLError[] | null = null
    const checked: CheckedDocument = {
      canonicalId,
      document,
      registeredAs: entry?.name ?? null,
      introspects: introspects(document),
      errors() {
        errors ??= errorsOf(document)
        if (errors.length === 0) known.set(id, checked)
        return errors
      },
    }
    return checked
  }

  return {
    check(sent) {
      const id = 'text' in sent ? documentIdOf(sent.text) : sent.id
      const checked = known.get(id)
      if (checked) return checked
      const text = 'text' in sent ? sent.text : entryOf(id)?.text
      if (text === undefined) throw new SluiceError('SLUICE_DOCUMENT_UNKNOWN')
      return checkText(id, text)
    },
  }
}

function parsed(text: string, limits: Limits): DocumentNode {
  try {
    assertLexable(text, limits)
    return parse(text, { maxTokens: limits.tokensMax })
  } catch (error) {
    if (error instanceof GraphQLError) throw documentError(error)
    throw error
  }
}

function introspects(document: DocumentNode): boolean {
  let found = false
  visit(document, {
    Field({ name: { value: name } }) {
      if (name === '__schema' || name === '__type') found = true
    },
  })
  return found
}
