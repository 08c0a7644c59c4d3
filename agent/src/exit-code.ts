import { errors, isErrorCode, type ErrorCode } from '@sluice/schema/errors'

/** What the program ends with. Scripts rely on them: add, never change. */
export const exitCodes = {
  ok: 0,
  /** A failure that nobody planned for. */
  unexpected: 1,
  /** The command line is not valid. */
  usage: 2,
  /** There is no credential, or the server does not take it. */
  credential: 3,
  /** The server understood and said no: permission, plan, a name that is taken. */
  refused: 4,
  /** Server or relay did not answer. */
  unreachable: 5,
  /** The tunnel is up, but the check through its public address failed. */
  roundTrip: 6,
  /** The session was ended by somebody else: replaced or stopped. */
  sessionEnded: 7,
  /** Ended by Ctrl-C; or stopped by anything before there was a result, or in the middle of an orderly end. */
  interrupted: 130,
} as const

const byCode: Partial<Record<ErrorCode, number>> = {
  SLUICE_USAGE: exitCodes.usage,
  SLUICE_COMMAND_UNKNOWN: exitCodes.usage,
  SLUICE_PROJECT_INVALID: exitCodes.usage,
  SLUICE_PROJECT_NOT_FOUND: exitCodes.usage,
  SLUICE_PROJECT_TUNNEL_UNKNOWN: exitCodes.usage,
  SLUICE_TARGET_REFUSED: exitCodes.usage,
  SLUICE_SERVICE_MANAGER_MISSING: exitCodes.refused,
  SLUICE_NOT_LOGGED_IN: exitCodes.credential,
  SLUICE_UNAUTHENTICATED: exitCodes.credential,
  SLUICE_AUTHTOKEN_INVALID: exitCodes.credential,
  SLUICE_AUTHTOKEN_EXPIRED: exitCodes.credential,
  SLUICE_AUTHTOKEN_IP_REFUSED: exitCodes.credential,
  SLUICE_AGENT_TOKEN_INVALID: exitCodes.credential,
  SLUICE_SERVER_FOREIGN: exitCodes.unreachable,
  SLUICE_ROUND_TRIP_FAILED: exitCodes.roundTrip,
  SLUICE_SESSION_REPLACED: exitCodes.sessionEnded,
  SLUICE_SESSION_REVOKED: exitCodes.sessionEnded,
}

/** The exit code of a failure; `status` stands in for a code that this release does not know. */
export function exitCodeOf(code: string, status: number): number {
  const known = isErrorCode(code) ? byCode[code] : undefined
  if (known !== undefined) return known
  const kind = isErrorCode(code) ? errors[code].status : status
  if (kind === 502 || kind === 503 || kind === 504) return exitCodes.unreachable
  if (kind >= 500) return exitCodes.unexpected
  return kind === 401 ? exitCodes.credential : exitCodes.refused
}
