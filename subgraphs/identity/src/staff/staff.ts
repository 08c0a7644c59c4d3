import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { personOf } from '../organization/organization.ts'
import { inputInvalid } from '../text.ts'

const reasonCharactersMax = 500

/** The id of the member of staff who asks. */
export function staffOf(context: Context): string {
  const userId = personOf(context)
  if (!context.principal.isAdmin) throw new SluiceError('SLUICE_FORBIDDEN')
  return userId
}

/** Why staff does something: customers read it. */
export function reasonOf(text: string): string {
  const reason = text.normalize('NFC').replaceAll(/\s+/g, ' ').trim()
  if (reason === '') throw inputInvalid('say why: the customer reads it')
  if (reason.length > reasonCharactersMax) {
    throw inputInvalid(`the reason is longer than ${reasonCharactersMax} characters`)
  }
  return reason
}
