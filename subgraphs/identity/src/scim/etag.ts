import { ScimError } from './scim-error.ts'

/** Weak: two of them equal mean the same, not the same bytes (RFC 7644 §3.14). */
export function etagOf(version: number, isActive = true): string {
  return `W/"${version}${isActive ? '' : '-off'}"`
}

/** What `If-Match` and `If-None-Match` of a request ask for. */
export interface Etags {
  /** Throws 412 if the client has seen another version than this. */
  assertMatch(etag: string): void
  /** The client has this version already. */
  isKnown(etag: string): boolean
}

export function etagsOf(ifMatch: string | null, ifNoneMatch: string | null): Etags {
  return {
    assertMatch(etag) {
      if (ifMatch === null || isNamed(ifMatch, etag)) return
      throw new ScimError(412, 'It was changed meanwhile: read it again.')
    },
    isKnown: (etag) => ifNoneMatch !== null && isNamed(ifNoneMatch, etag),
  }
}

function isNamed(header: string, etag: string): boolean {
  const named = header.split(',').map((one) => bare(one.trim()))
  return named.includes('*') || named.includes(bare(etag))
}

function bare(etag: string): string {
  return etag.replace(/^W\//, '')
}
