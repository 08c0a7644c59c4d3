import { forkSystem } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { passSecondFactor } from '../second-factor/second-factor.ts'
import { findTicket, issueTicket, takeTicket } from '../ticket/ticket.ts'
import { User } from '../user/user.entity.ts'
import { completeSignIn, startSignIn, type SignedIn } from './start-sign-in.ts'

const secondFactorLifeMs = 10 * 60_000

/**
 * For who has shown elsewhere that it is them, but has a second factor here: with the ticket and a code they come in.
 * The ticket is worth what a password is.
 */
export async function secondFactorTicket(
  { orm, now }: Context,
  { id: userId }: User,
  by: string,
): Promise<string> {
  return issueTicket(forkSystem(orm), {
    purpose: 'second-factor',
    userId,
    data: { by },
    lifeMs: secondFactorLifeMs,
    at: now(),
  })
}

/** Signs in the holder of a ticket with a code of their second factor. A wrong code leaves the ticket good. */
export async function finishSignIn(
  context: Context,
  ticket: string,
  code: string,
): Promise<SignedIn> {
  const { orm, now } = context
  const held = await findTicket<{ by: string }>(forkSystem(orm), 'second-factor', ticket, now())
  if (!held?.userId) throw new SluiceError('SLUICE_TICKET_INVALID')
  const user = await forkSystem(orm).findOneOrFail(User, { id: held.userId })
  await passSecondFactor(context, user, code)
  const started = await forkSystem(orm).transactional(async (em) => {
    const taken = await takeTicket(em, 'second-factor', ticket, now())
    if (!taken) throw new SluiceError('SLUICE_TICKET_INVALID')
    return startSignIn(context, em, user, held.data.by)
  })
  return completeSignIn(context, user, started)
}
