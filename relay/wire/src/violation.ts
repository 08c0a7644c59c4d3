import { closeCode } from './close-code.ts'

/** The peer broke the protocol. Ends the session, never the process. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation'
  readonly closeCode = closeCode.violation
}
