import { builder } from '../builder.ts'
import { findNetworkBlocks, liftNetworkBlock } from './abuse.ts'
import type { NetworkBlock } from './network-blocks.ts'

const NetworkBlockType = builder.objectRef<NetworkBlock>('NetworkBlock').implement({
  description: 'A network whose sign-ins are refused, because too many from there failed.',
  fields: (t) => ({
    network: t.exposeString('network', { description: '/24 of IPv4, /48 of IPv6.' }),
    endsAt: t.expose('endsAt', { type: 'DateTime', description: 'When it ends by itself.' }),
    strikes: t.exposeInt('strikes', {
      description: 'How often it was blocked lately; each block is twice as long as the last.',
    }),
  }),
})

builder.queryField('networkBlocks', (t) =>
  t.field({
    type: [NetworkBlockType],
    description: 'Networks whose sign-ins are refused now, the last to end first. For staff.',
    resolve: (_root, _args, context) => findNetworkBlocks(context),
  }),
)

builder.mutationField('liftNetworkBlock', (t) =>
  t.string({
    description: 'Ends a block before its time. Returns the network. For staff.',
    args: { network: t.arg.string({ required: true, description: 'As it is listed.' }) },
    resolve: (_root, { network }, context) => liftNetworkBlock(context, network),
  }),
)
