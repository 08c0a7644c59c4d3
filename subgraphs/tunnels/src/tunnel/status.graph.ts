import type { TunnelStatusChange } from '@sluice/schema/redis'

import { builder } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { followTunnelStatus } from './follow-status.ts'
import { TunnelStatusType, TunnelType } from './tunnel.graph.ts'

const TunnelStatusEventType = builder.objectRef<TunnelStatusChange>('TunnelStatusEvent').implement({
  tag: 'public',
  description: 'The status of a tunnel has changed.',
  fields: (t) => ({
    tunnelId: t.exposeID('tunnelId', { description: 'The id of the tunnel.' }),
    status: t.expose('status', { type: TunnelStatusType, description: 'What it became.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    tunnel: t.field({
      type: TunnelType,
      nullable: true,
      description: 'The tunnel as it is when the event is read.',
      resolve: ({ tunnelId }, _args, { load }) => load.tunnel.load(tunnelId),
    }),
    organization: t.field({
      type: OrganizationType,
      nullable: true,
      description: 'Whose it is.',
      resolve: ({ organizationId }) => ({ id: organizationId }),
    }),
  }),
})

builder.subscriptionField('tunnelStatus', (t) =>
  t.field({
    tag: 'public',
    type: TunnelStatusEventType,
    description:
      'Changes of the status of an organization’s tunnels. Read the tunnels first, then follow. A slow reader gets the last change of each tunnel.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'The id of the organization.' }),
    },
    subscribe: (_root, { organizationId }, context) => followTunnelStatus(context, organizationId),
    resolve: (change) => change,
  }),
)
