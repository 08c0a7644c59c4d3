import {
  browserSupportsWebAuthn,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser'
import { SluiceError } from '@sluice/schema/errors'

import { ofCatalogue, type Problem } from '../graph/problem.ts'

/** Passkeys need https, or localhost, and a browser that knows them. */
export const canUsePasskeys = browserSupportsWebAuthn

/** Options of the server in, answer of the device out, both as JSON; or what kept it from answering. */
type Ceremony = (optionsText: string) => Promise<PasskeyAnswer>
type PasskeyAnswer =
  | { readonly response: string; readonly problem: null }
  | { readonly response: null; readonly problem: Problem }

export const createPasskey: Ceremony = (text) =>
  answerOf(() => startRegistration({ optionsJSON: JSON.parse(text) }))

export const getPasskey: Ceremony = (text) =>
  answerOf(() => startAuthentication({ optionsJSON: JSON.parse(text) }))

async function answerOf(ask: () => Promise<object>): Promise<PasskeyAnswer> {
  try {
    return { response: JSON.stringify(await ask()), problem: null }
  } catch (error) {
    const reason = reasonOf(error)
    return {
      response: null,
      problem: ofCatalogue(new SluiceError('SLUICE_PASSKEY_NOT_USED', { reason })),
    }
  }
}

/** Browsers say little on purpose: they do not tell a refusal from a device that is not there. */
function reasonOf(error: unknown): string {
  const name = error instanceof Error ? error.name : ''
  if (name === 'NotAllowedError' || name === 'AbortError') {
    return 'The question was closed, or no device answered it in time.'
  }
  if (name === 'InvalidStateError') return 'This device has a passkey for your account already.'
  if (name === 'SecurityError') return 'Passkeys need https and a host with a name.'
  return 'The browser could not ask for one.'
}
