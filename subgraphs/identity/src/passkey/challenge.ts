import { forkSystem } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'
import { z } from 'zod'

import type { Context } from '../context.ts'
import type { TicketPurpose } from '../ticket/ticket.entity.ts'
import { issueTicket, takeTicket } from '../ticket/ticket.ts'

export const challengeLifeMs = 5 * 60_000
const responseCharactersMax = 20_000

/** A challenge is a ticket: an answer to it is good once, and for minutes. */
export async function newChallenge(
  { orm, now }: Context,
  purpose: TicketPurpose,
  userId: string | null,
): Promise<Uint8Array<ArrayBuffer>> {
  const ticket = { purpose, userId, data: {}, lifeMs: challengeLifeMs, at: now() }
  const secret = await issueTicket(forkSystem(orm), ticket)
  return Uint8Array.from(Buffer.from(secret, 'base64url'))
}

/** Whether this is a challenge of ours, for this and for them, that was not answered before. Uses it up. */
export function takesChallenge(
  { orm, now }: Context,
  purpose: TicketPurpose,
  userId: string | null,
): (challenge: string) => Promise<boolean> {
  return async (challenge) => {
    const taken = await takeTicket(forkSystem(orm), purpose, challenge, now())
    return taken !== null && taken.userId === userId
  }
}

/** As far as we read it ourselves: what else there is, whoever verifies it checks. */
const Response = z.looseObject({
  id: z.string(),
  response: z.looseObject({ userHandle: z.string().optional() }),
})

/** What a browser made of our options, as JSON. */
export function parseResponse(text: string): z.infer<typeof Response> {
  try {
    if (text.length > responseCharactersMax) throw new Error('the answer is too long')
    return Response.parse(JSON.parse(text))
  } catch (error) {
    throw new SluiceError('SLUICE_PASSKEY_REFUSED', {}, { cause: error })
  }
}
