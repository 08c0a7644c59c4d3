import { addressErrors } from './errors/address.ts'
import { billingErrors } from './errors/billing.ts'
import { cliErrors } from './errors/cli.ts'
import { consoleErrors } from './errors/console.ts'
import { credentialErrors } from './errors/credential.ts'
import { domainErrors } from './errors/domain.ts'
import { edgeErrors } from './errors/edge.ts'
import { graphErrors } from './errors/graph.ts'
import { organizationErrors } from './errors/organization.ts'
import { sessionErrors } from './errors/session.ts'
import { signInErrors } from './errors/sign-in.ts'
import { ssoErrors } from './errors/sso.ts'
import { staffErrors } from './errors/staff.ts'
import { tunnelErrors } from './errors/tunnel.ts'
import { webhookErrors } from './errors/webhook.ts'

/** Every failure that a person can meet, by area. Each area has its file; no code stands in two. */
export const errorAreas = {
  'Signing in': signInErrors,
  'Authtokens, API keys and service accounts': credentialErrors,
  'Organizations, members and roles': organizationErrors,
  'Staff of the platform': staffErrors,
  'Single sign-on': ssoErrors,
  Tunnels: tunnelErrors,
  Webhooks: webhookErrors,
  Domains: domainErrors,
  Billing: billingErrors,
  'Addresses that a customer names and this server asks': addressErrors,
  'The graph': graphErrors,
  'The edge: what a visitor meets': edgeErrors,
  'Agent sessions': sessionErrors,
  'The CLI': cliErrors,
  'The console': consoleErrors,
} as const

/** Every failure that a person can meet, by its code. */
export const errors = {
  ...signInErrors,
  ...credentialErrors,
  ...organizationErrors,
  ...staffErrors,
  ...ssoErrors,
  ...tunnelErrors,
  ...webhookErrors,
  ...domainErrors,
  ...billingErrors,
  ...addressErrors,
  ...graphErrors,
  ...edgeErrors,
  ...sessionErrors,
  ...cliErrors,
  ...consoleErrors,
} as const

export type ErrorCode = keyof typeof errors
export type Details = Readonly<Record<string, string | number | boolean>>

/** Where each code has its page; the code is appended. */
export const docsUrl = 'https://docs.sluice.dev/errors/'

/** An expected failure. All of it but `cause` is shown to people: no SQL, no addresses, no ids of others. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError'
  readonly code: ErrorCode
  readonly details: Details

  constructor(code: ErrorCode, details: Details = {}, options?: ErrorOptions) {
    super(fill(errors[code].title, details), options)
    this.code = code
    this.details = details
  }
}

/** The failure as a problem body (RFC 9457). The error page and the agent's screen print the same fields. */
export function problemOf({ code, message, details }: SluiceError) {
  const { status, cause, fix } = errors[code]
  return {
    ...details,
    type: docsUrl + code,
    code,
    status,
    title: message,
    detail: fill(cause, details),
    fix: fill(fix, details),
  }
}

export type Problem = ReturnType<typeof problemOf>

/** Whether a code that came over a wire is one of the catalogue. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errors, code)
}

function fill(text: string, details: Details): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole))
}
