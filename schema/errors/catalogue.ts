/** One failure that a person can meet: how it looks on every surface, and what to do about it. */
interface Entry {
  /** HTTP status, also the GraphQL error's `status`. */
  readonly status: number
  /** One sentence. `{name}` is filled from the error's details. */
  readonly title: string
  readonly cause: string
  readonly fix: string
}

/** Failures by their code. A code is a public contract: add, never rename or reuse. */
export type Catalogue = Record<`SLUICE_${string}`, Entry>
