import { createHash } from 'node:crypto'

import { Kind, print, type DocumentNode } from 'graphql'

/** What `schema/operations/manifest.json` says of one registered text, by the SHA-256 of that text. */
interface ManifestEntry {
  readonly name: string
  readonly text: string
}
export type Manifest = Readonly<Record<string, ManifestEntry>>

/** SHA-256 of the exact text, in hex: the id of a document on every door and in the manifest. */
export function documentIdOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/**
 * One text for all texts that mean the same: without comments, in the printer's layout, the operations first and the
 * fragments by name. A client library that lays a registered document out anew still sends the registered one.
 */
export function canonicalText(document: DocumentNode): string {
  const fragments = document.definitions
    .filter((one) => one.kind === Kind.FRAGMENT_DEFINITION)
    .toSorted((one, other) => (one.name.value < other.name.value ? -1 : 1))
  const rest = document.definitions.filter((one) => one.kind !== Kind.FRAGMENT_DEFINITION)
  return print({ kind: Kind.DOCUMENT, definitions: [...rest, ...fragments] })
}
