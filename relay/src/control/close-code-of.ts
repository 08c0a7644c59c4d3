import type { ErrorCode } from '@sluice/schema/errors'
import { closeCode } from '@sluice/wire'

const closeCodes: Partial<Record<ErrorCode, number>> = {
  SLUICE_AGENT_TOKEN_INVALID: closeCode.agentToken,
  SLUICE_SESSION_REVOKED: closeCode.revoked,
  SLUICE_TUNNEL_SUSPENDED: closeCode.revoked,
  SLUICE_SESSION_REPLACED: closeCode.replaced,
  SLUICE_PROTOCOL_UNSUPPORTED: closeCode.version,
  SLUICE_SESSIONS_MAX: closeCode.full,
}

/** The number that a link is closed with after a refusal: for logs, since agents act on the code. */
export function closeCodeOf(code: ErrorCode): number {
  return closeCodes[code] ?? closeCode.done
}
