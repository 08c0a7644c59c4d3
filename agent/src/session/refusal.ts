import { SluiceError, errors, isErrorCode } from '@sluice/schema/errors'
import type { Refusal } from '@sluice/wire'

/** Refusals that dialling again cannot cure. */
const fatalCodes = new Set([
  'SLUICE_SESSION_REPLACED',
  'SLUICE_SESSION_REVOKED',
  'SLUICE_PROTOCOL_UNSUPPORTED',
])

/** What one relay says at one time: the next attempt may be luckier. A port is free once another relay has given it up. */
const relayCodes = new Set(['SLUICE_AGENT_TOKEN_INVALID', 'SLUICE_PORT_TAKEN'])

/** Whether the next attempt may be luckier. */
export function isPassing({ code }: SluiceError): boolean {
  const { status } = errors[code]
  if (fatalCodes.has(code)) return false
  return status >= 500 || status === 429 || relayCodes.has(code)
}

/** A relay's refusal as a failure of the catalogue; undefined for a code that this agent does not know. */
export function errorOf({ code, details }: Refusal): unknown {
  return isErrorCode(code) ? new SluiceError(code, details) : undefined
}
