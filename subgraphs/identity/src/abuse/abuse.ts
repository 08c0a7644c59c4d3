import { forkSystem } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { staffOf } from '../staff/staff.ts'
import { User } from '../user/user.entity.ts'
import type { NetworkBlock } from './network-blocks.ts'

/** Networks whose sign-ins are refused now. For staff. */
export async function findNetworkBlocks(context: Context): Promise<NetworkBlock[]> {
  staffOf(context)
  return context.blocks.list()
}

/** Ends a block before its time. For staff. */
export async function liftNetworkBlock(context: Context, network: string): Promise<string> {
  const { orm, blocks, visitorIp: ip, now } = context
  const staffId = staffOf(context)
  if (!(await blocks.lift(network))) throw new SluiceError('SLUICE_SUSPENSION_UNCHANGED')
  await forkSystem(orm).transactional(async (em) => {
    const actor = await em.findOneOrFail(User, { id: staffId })
    recordAct(em, {
      action: 'network.unblocked',
      actor,
      organizationId: null,
      target: { type: 'network', id: network.slice(0, 64) },
      ip,
      at: now(),
    })
    await em.flush()
  })
  return network
}
