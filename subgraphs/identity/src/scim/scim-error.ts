import { problemOf, type SluiceError } from '@sluice/schema/errors'

/** What `scimType` can say of a 400 or 409 (RFC 7644 §3.12). */
export type ScimType =
  | 'invalidFilter'
  | 'invalidPath'
  | 'invalidSyntax'
  | 'invalidValue'
  | 'mutability'
  | 'noTarget'
  | 'tooMany'
  | 'uniqueness'

/** A refusal in the words of SCIM. `detail` is read by whoever looks after the identity provider. */
export class ScimError extends Error {
  override readonly name = 'ScimError'
  readonly status: number
  readonly scimType: ScimType | null
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    detail: string,
    scimType: ScimType | null = null,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail)
    this.status = status
    this.scimType = scimType
    this.headers = headers
  }
}

const errorSchema = 'urn:ietf:params:scim:api:messages:2.0:Error'

/** The body of a refusal (RFC 7644 §3.12): the status is a text there. */
export function scimProblem({ status, scimType, message }: ScimError) {
  return {
    schemas: [errorSchema],
    status: String(status),
    ...(scimType ? { scimType } : {}),
    detail: message,
  }
}

/** A failure of the rules that SCIM shares with the graph, in SCIM's form. */
export function scimErrorOf(error: SluiceError): ScimError {
  const { status, title, detail, fix } = problemOf(error)
  const seconds = error.details['retryAfterSeconds']
  const headers = {
    'sluice-error': error.code,
    ...(seconds === undefined ? {} : { 'retry-after': String(seconds) }),
  }
  const type = error.code === 'SLUICE_INPUT_INVALID' ? 'invalidValue' : null
  return new ScimError(status, `${title} ${detail} ${fix}`, type, headers)
}

export function invalidValue(detail: string): ScimError {
  return new ScimError(400, detail, 'invalidValue')
}
