import { connectionType } from '@sluice/kit/graph'

import { builder } from '../builder.ts'
import { TunnelType } from '../tunnel/tunnel.graph.ts'
import { listClosedHosts } from './closed-hosts.ts'
import type { SuspendedHost } from './suspended-host.entity.ts'
import {
  listSuspendedHosts,
  suspendedHostPage,
  suspendHost,
  type TunnelSuspension,
  unsuspendHost,
} from './suspended-host.ts'

const SuspendedHostType = builder.objectRef<SuspendedHost>('SuspendedHost').implement({
  description: 'An address that staff has taken out of service.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the suspension.' }),
    name: t.exposeString('name', {
      description: 'A host name, or `tcp:<port>`, `udp:<port>`.',
    }),
    organizationId: t.exposeID('organizationId', {
      nullable: true,
      description: 'Whose tunnel had it then; null when nobody’s.',
    }),
    reason: t.exposeString('reason', { description: 'Why. Visitors do not read it.' }),
    at: t.expose('at', { type: 'DateTime', description: 'Since when.' }),
  }),
})

const TunnelSuspensionType = builder.objectRef<TunnelSuspension>('TunnelSuspension').implement({
  tag: 'public',
  description: 'Why a tunnel is not served.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The address that is suspended.' }),
    reason: t.exposeString('reason', { description: 'What the operator says.' }),
    at: t.expose('at', { type: 'DateTime', description: 'Since when.' }),
  }),
})

builder.objectField(TunnelType, 'suspension', (t) =>
  t.field({
    type: TunnelSuspensionType,
    nullable: true,
    description: 'Why staff has taken one of its addresses out of service; null while all are in.',
    resolve: ({ id }, _args, { load }) => load.suspension.load(id),
  }),
)

const SuspendedHostConnection = connectionType(builder, 'SuspendedHost', SuspendedHostType)

builder.queryFields((t) => ({
  suspendedHosts: t.field({
    type: SuspendedHostConnection,
    description: 'Addresses that are out of service, the latest first. For staff.',
    args: {
      first: t.arg.int({ description: 'How many rows, at most 100.', defaultValue: 25 }),
      after: t.arg.string({ description: 'The `endCursor` of the page before.' }),
    },
    resolve: (_root, args, context) => suspendedHostPage(context, args),
  }),
  relaySuspendedHosts: t.field({
    type: [SuspendedHostType],
    nullable: true,
    description: 'All addresses that are out of service. For relay keys only.',
    resolve: (_root, _args, context) => listSuspendedHosts(context),
  }),
  relayClosedHosts: t.stringList({
    nullable: true,
    description:
      'Hosts whose organization or owner is suspended: out of service while nobody serves them. For relay keys only.',
    resolve: (_root, _args, context) => listClosedHosts(context),
  }),
}))

builder.mutationFields((t) => ({
  suspendHost: t.field({
    type: SuspendedHostType,
    description:
      'Takes an address out of service within seconds: its streams end, its agent is told why, visitors see that it is suspended. For staff.',
    args: {
      name: t.arg.string({
        required: true,
        description: 'A host name, or `tcp:<port>`, `udp:<port>`.',
      }),
      reason: t.arg.string({ required: true, description: 'Why, as the customer reads it.' }),
    },
    resolve: (_root, { name, reason }, context) => suspendHost(context, name, reason),
  }),
  unsuspendHost: t.string({
    description: 'Puts an address into service again. Returns it. For staff.',
    args: { name: t.arg.string({ required: true, description: 'As it was suspended.' }) },
    resolve: (_root, { name }, context) => unsuspendHost(context, name),
  }),
}))
