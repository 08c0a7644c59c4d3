import { SluiceError } from '@sluice/schema/errors'

const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
// oxlint-disable-next-line no-control-regex -- Control characters are what it looks for.
const controlCharacter = /[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/u

/** Whether a client's id can be one at all; PostgreSQL refuses to compare a uuid with anything else. */
export function isId(id: string): boolean {
  return uuidForm.test(id)
}

/** A name that people see: trimmed, composed, bounded, without characters that hide or turn text around. */
export function nameOf(text: string, what: string, charactersMax = 100): string {
  const name = text.normalize('NFC').trim()
  if (name === '') throw inputInvalid(`${what} is empty`)
  if (name.length > charactersMax) {
    throw inputInvalid(`${what} is longer than ${charactersMax} characters`)
  }
  if (controlCharacter.test(name)) throw inputInvalid(`${what} has control characters`)
  return name
}

export function inputInvalid(reason: string): SluiceError {
  return new SluiceError('SLUICE_INPUT_INVALID', { reason })
}
