import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core'

export * from './graphql.ts'

/** An operation as its text, with the types of its variables and its data. */
type Operation<Data, Variables> = DocumentTypeDecoration<Data, Variables> & { toString(): string }

/** What an operation cost, may cost at most, and what is left of this minute. */
export interface Cost {
  readonly requested: number
  readonly max: number
  readonly remaining: number
}

/** What went wrong, in the words of Sluice. `code` is stable; the fix says what to do. */
export class SluiceApiError extends Error {
  override readonly name = 'SluiceApiError'
  readonly code: string
  readonly status: number
  readonly fix: string | undefined
  /** When it is worth trying again; null when waiting does not help. */
  readonly retryAfterSeconds: number | null

  constructor(message: string, details: Omit<SluiceApiError, keyof Error>) {
    super(message)
    this.code = details.code
    this.status = details.status
    this.fix = details.fix
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}

interface Answer {
  readonly data?: unknown
  readonly errors?: readonly { message: string; extensions?: Record<string, unknown> }[]
  readonly extensions?: { readonly cost?: Cost }
}

const timeoutMsDefault = 30_000

/** A client of `/public/graphql`. `onCost` hears what each operation cost. */
export function createClient(options: {
  /** Where the console is, such as `https://console.example.com`. */
  server: string
  /** `slk_…` */
  apiKey: string
  timeoutMs?: number
  onCost?: (cost: Cost) => void
}) {
  const url = new URL('/public/graphql', options.server)
  const { apiKey, timeoutMs = timeoutMsDefault, onCost } = options

  return async function run<Data, Variables>(
    operation: Operation<Data, Variables>,
    variables: Variables,
  ): Promise<Data> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({ query: operation.toString(), variables }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const { data, errors, extensions } = (await response.json()) as Answer
    if (extensions?.cost) onCost?.(extensions.cost)
    const [error] = errors ?? []
    if (!error) return data as Data
    const { code, fix } = error.extensions ?? {}
    const wait = response.headers.get('retry-after')
    throw new SluiceApiError(error.message, {
      code: typeof code === 'string' ? code : 'SLUICE_INTERNAL',
      status: response.status,
      fix: typeof fix === 'string' ? fix : undefined,
      retryAfterSeconds: wait === null ? null : Number(wait),
    })
  }
}
