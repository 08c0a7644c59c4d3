import { docsUrl, isErrorCode, problemOf, SluiceError } from '@sluice/schema/errors'

import { exitCodeOf, exitCodes } from './exit-code.ts'
import type { Output } from './output.ts'

/** What `sluice help {command}` leaves behind when there is no command to name. */
const emptyArgument = / +`(?=[\s.,;]|$)/

/** The person pressed Ctrl-C: not a failure, and nothing is printed. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** A failure that a newer server names with a code which this release does not know. */
class UnknownRefusal extends Error {
  override readonly name = 'UnknownRefusal'
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly fix: string

  constructor(
    title: string,
    problem: { code: string; status: number; detail: string; fix: string },
  ) {
    super(title)
    this.code = problem.code
    this.status = problem.status
    this.detail = problem.detail
    this.fix = problem.fix
  }
}

/** A failure as every output mode shows it. */
export interface ShownProblem {
  readonly code: string
  readonly title: string
  readonly cause: string
  readonly fix: string
  readonly docs: string
  /** Where an authtoken is created, when a new one is what helps. */
  readonly authtokensUrl?: string
  readonly exitCode: number
}

/** Turns whatever was thrown into what a person reads. Nothing secret is left in it. */
export function shownProblemOf(error: unknown, server: string | null = null): ShownProblem {
  const show = (problem: PlainProblem) => showAt(server, problem)
  if (error instanceof UnknownRefusal) {
    const { code, message, status, detail, fix } = error
    return show({ code, title: message, detail, fix, exitCode: exitCodeOf(code, status) })
  }
  if (error instanceof SluiceError) {
    const { code, title, detail, fix, status } = problemOf(error)
    return show({
      code,
      title,
      detail,
      fix: fix.replace(emptyArgument, '`'),
      exitCode: exitCodeOf(code, status),
    })
  }
  const reason = error instanceof Error ? error.message : String(error)
  const failed = problemOf(new SluiceError('SLUICE_COMMAND_FAILED', { reason }))
  return show({ ...failed, exitCode: exitCodes.unexpected })
}

/** The one place that prints a failure: title and code, why, what to do, where to read more. */
export function printProblem(problem: ShownProblem, output: Output): void {
  const { exitCode: _exitCode, ...fields } = problem
  if (output.json) {
    output.event({ event: 'error', ...fields })
    return
  }
  output.failure([
    `${output.style('red', output.style('bold', problem.title))} ${output.style('dim', `(${problem.code})`)}`,
    `  Why:        ${problem.cause}`,
    `  What to do: ${problem.fix}`,
    ...(problem.authtokensUrl ? [`  Authtokens: ${problem.authtokensUrl}`] : []),
    `  More:       ${problem.docs}`,
  ])
}

/** The catalogue's failure as the server names it, rebuilt from GraphQL `extensions`. */
export function refusalOf(message: string, extensions: Readonly<Record<string, unknown>>): Error {
  const { type: _type, code, status, title, detail, fix, ...rest } = extensions
  if (isErrorCode(code)) return new SluiceError(code, detailsOf(rest))
  if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]{2,80}$/.test(code)) {
    return new SluiceError('SLUICE_INTERNAL', { id: 'unknown' }, { cause: message })
  }
  const text = (value: unknown, otherwise: string) =>
    typeof value === 'string' ? value : otherwise
  return new UnknownRefusal(text(title, message), {
    code,
    status: typeof status === 'number' ? status : 500,
    detail: text(detail, message),
    fix: text(fix, 'Update the sluice program: this release does not know the code.'),
  })
}

function detailsOf(values: Readonly<Record<string, unknown>>) {
  const details: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      details[name] = value
    }
  }
  return details
}

interface PlainProblem {
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly fix: string
  readonly exitCode: number
}

/** Failures that a new authtoken mends. */
const authtokenCodes = new Set([
  'SLUICE_NOT_LOGGED_IN',
  'SLUICE_AUTHTOKEN_INVALID',
  'SLUICE_AUTHTOKEN_EXPIRED',
  'SLUICE_AUTHTOKEN_IP_REFUSED',
  'SLUICE_UNAUTHENTICATED',
])
/** Failures in which the server has no page to show. */
const serverAwayCodes = new Set(['SLUICE_SERVER_UNREACHABLE', 'SLUICE_SERVER_FOREIGN'])

function showAt(server: string | null, problem: PlainProblem): ShownProblem {
  const pages = server === null || serverAwayCodes.has(problem.code) ? null : server
  return {
    code: problem.code,
    title: withoutSecrets(problem.title),
    cause: withoutSecrets(problem.detail),
    fix: withoutSecrets(problem.fix),
    // The server's console explains each code of the catalogue: a server of one's own needs no web site.
    docs:
      pages && isErrorCode(problem.code)
        ? `${pages}/errors/${problem.code}`
        : docsUrl + problem.code,
    ...(pages && authtokenCodes.has(problem.code) ? { authtokensUrl: `${pages}/authtokens` } : {}),
    exitCode: problem.exitCode,
  }
}

/** Authtokens, relay keys and JWTs, wherever a foreign message may repeat one. */
function withoutSecrets(text: string): string {
  return text
    .replaceAll(/\b(slt|slk|slc|slrk)_[0-9A-Za-z]+/g, '$1_…')
    .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, 'eyJ…')
}
