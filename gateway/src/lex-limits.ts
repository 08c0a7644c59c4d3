import { SluiceError } from '@sluice/schema/errors'
import { Lexer, Source, TokenKind } from 'graphql'

import type { Limits } from './limits.ts'

const opening: ReadonlySet<string> = new Set([
  TokenKind.BRACE_L,
  TokenKind.BRACKET_L,
  TokenKind.PAREN_L,
])
const closing: ReadonlySet<string> = new Set([
  TokenKind.BRACE_R,
  TokenKind.BRACKET_R,
  TokenKind.PAREN_R,
])

/**
 * Counts bytes, tokens and nesting before the parser runs, which is recursive and would overflow the stack on a
 * document nested thousands deep. Throws the lexer's own GraphQLError for what is no token.
 */
export function assertLexable(text: string, limits: Limits): void {
  if (Buffer.byteLength(text) > limits.documentBytesMax) {
    throw tooLarge(`at most ${limits.documentBytesMax} bytes`)
  }
  const lexer = new Lexer(new Source(text))
  let tokens = 0
  let nesting = 0
  for (let kind = lexer.advance().kind; kind !== TokenKind.EOF; kind = lexer.advance().kind) {
    tokens += 1
    if (tokens > limits.tokensMax) throw tooLarge(`at most ${limits.tokensMax} tokens`)
    if (opening.has(kind)) nesting += 1
    else if (closing.has(kind)) nesting -= 1
    if (nesting > limits.nestingMax) throw tooLarge(`at most ${limits.nestingMax} levels`)
  }
}

export function tooLarge(limit: string): SluiceError {
  return new SluiceError('SLUICE_DOCUMENT_TOO_LARGE', { limit })
}
