import { SluiceError } from '@sluice/schema/errors'

// oxlint-disable-next-line no-control-regex -- Control characters are what it looks for.
const controlCharacter = /[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/u

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
