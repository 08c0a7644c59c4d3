import { builder } from '../builder.ts'
import { endpointHostExists } from '../tunnel/endpoint-hosts.ts'
import { listRegions, type Region } from './region.ts'
import type { Relay } from './relay.entity.ts'
import {
  countOtherRelaysReady,
  drainRelay,
  heartbeatRelay,
  listRelays,
  registerRelay,
  relayStatus,
  type RelayOrders,
} from './relay.ts'
import { listStoppedTunnels, type StoppedTunnel } from './revocation-list.ts'

const RelayStatusType = builder.enumType('RelayStatus', {
  description: 'Whether agents are sent to a relay.',
  values: {
    READY: { description: 'It takes new sessions.' },
    DRAINING: { description: 'It is shutting down.' },
    LOST: { description: 'It has not been heard of for 15 seconds.' },
  },
})

const RelayType = builder.objectRef<Relay>('Relay').implement({
  description: 'A server that agents connect to and visitors reach.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The name it has given itself.' }),
    region: t.exposeString('region', { description: 'Where it stands.' }),
    pool: t.exposeString('pool', { description: 'The pool that it belongs to.' }),
    edgeUrl: t.exposeString('edgeUrl', { description: 'The address that agents dial.' }),
    status: t.field({
      type: RelayStatusType,
      description: 'Whether agents are sent to it.',
      resolve: (relay, _args, { parts }) => relayStatus(relay, parts.now()),
    }),
    sessions: t.exposeInt('sessions', { description: 'Agent sessions at the last heartbeat.' }),
    connections: t.exposeInt('connections', {
      description: 'Visitor connections at the last heartbeat.',
    }),
    version: t.exposeString('version', { description: 'The version it runs.' }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTime',
      description: 'The last heartbeat.',
    }),
  }),
})

builder.asEntity(RelayType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: async ({ id }, context) =>
    (await listRelays(context)).find((relay) => relay.id === id) as Relay,
})

const RegionType = builder.objectRef<Region>('Region').implement({
  tag: 'public',
  description: 'A place where visitors can arrive.',
  fields: (t) => ({
    id: t.exposeString('id', { description: 'What `region` takes.' }),
    name: t.exposeString('name', { description: 'For people.' }),
    available: t.exposeBoolean('available', { description: 'Whether a relay is ready there.' }),
  }),
})

builder.queryFields((t) => ({
  relays: t.field({
    type: [RelayType],
    description: 'The relays, for staff of the platform; empty for all others.',
    resolve: (_root, _args, context) => listRelays(context),
  }),
  regions: t.field({
    tag: 'public',
    listSize: { assumedSize: 10 },
    type: [RegionType],
    description: 'The regions that relays serve.',
    resolve: (_root, _args, context) => listRegions(context),
  }),
}))

const StoppedTunnelType = builder.objectRef<StoppedTunnel>('StoppedTunnel').implement({
  description: 'A tunnel whose sessions are void.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the tunnel.' }),
    at: t.expose('at', { type: 'DateTime', description: 'Agent tokens from before are void.' }),
  }),
})

builder.queryField('stoppedTunnels', (t) =>
  t.field({
    type: [StoppedTunnelType],
    nullable: true,
    description: 'Tunnels stopped or deleted since then, the latest first. For relay keys only.',
    args: {
      since: t.arg({ type: 'DateTime', required: true, description: 'What came before is known.' }),
    },
    resolve: (_root, { since }, context) => listStoppedTunnels(context, since),
  }),
)

builder.queryField('otherRelaysReady', (t) =>
  t.int({
    nullable: true,
    description:
      'How many relays other than this one take new sessions: whether its agents have somewhere to go when it leaves. For relay keys only.',
    args: { relayId: t.arg.id({ required: true, description: 'The relay that asks.' }) },
    resolve: (_root, { relayId }, context) => countOtherRelaysReady(context, relayId),
  }),
)

builder.queryField('relayHostExists', (t) =>
  t.boolean({
    nullable: true,
    description: 'Whether a tunnel has this host. For relay keys only.',
    args: {
      endpointHost: t.arg.string({ required: true, description: 'A host name, in lower case.' }),
    },
    resolve: (_root, { endpointHost }, context) => endpointHostExists(context, endpointHost),
  }),
)

const RelayOrdersType = builder.objectRef<RelayOrders>('RelayOrders').implement({
  description: 'What a relay hears in answer to a heartbeat.',
  fields: (t) => ({
    drain: t.exposeBoolean('drain', { description: 'Staff wants it to leave, without a loss.' }),
    replacedSessionIds: t.exposeIDList('replacedSessionIds', {
      description: 'Its sessions whose tunnels a newer start serves elsewhere.',
    }),
  }),
})

const RelayInput = builder.inputType('RelayInput', {
  description: 'How a relay presents itself.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Stays the same over restarts.' }),
    region: t.string({ required: true, description: 'Where it stands.' }),
    pool: t.string({ description: 'The pool that it belongs to: `default` unless it says so.' }),
    edgeUrl: t.string({ required: true, description: 'The ws or wss address that agents dial.' }),
    publicHttpUrl: t.string({
      required: true,
      description: 'Scheme, apex and port of the tunnels’ public addresses.',
    }),
    version: t.string({ required: true, description: 'The version it runs.' }),
    capacity: t.int({
      required: true,
      description: 'How many visitor connections it is meant to carry.',
    }),
  }),
})

const RelaySessionInput = builder.inputType('RelaySessionInput', {
  description: 'One agent session of a relay.',
  fields: (t) => ({
    tunnelId: t.id({ required: true, description: 'The tunnel it serves.' }),
    sessionId: t.id({ required: true, description: 'The id of the session.' }),
    epoch: t.int({ required: true, description: 'The epoch of its agent token.' }),
    since: t.field({ type: 'DateTime', required: true, description: 'When it was opened.' }),
  }),
})

const RelayHeartbeatInput = builder.inputType('RelayHeartbeatInput', {
  description: 'That a relay lives, and what it holds.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the relay.' }),
    draining: t.boolean({ required: true, description: 'Whether it is shutting down.' }),
    connections: t.int({ required: true, description: 'Visitor connections now.' }),
    sessions: t.field({
      type: [RelaySessionInput],
      required: true,
      description: 'All of its agent sessions.',
    }),
  }),
})

builder.mutationFields((t) => ({
  registerRelay: t.field({
    type: RelayType,
    description: 'Makes a relay known. For relay keys only.',
    args: { input: t.arg({ type: RelayInput, required: true, description: 'The relay.' }) },
    resolve: (_root, { input: { pool, ...input } }, context) =>
      registerRelay(context, { ...input, ...(pool ? { pool } : {}) }),
  }),
  heartbeatRelay: t.field({
    type: RelayOrdersType,
    description:
      'Every few seconds. An error asks the relay to register again. For relay keys only.',
    args: {
      input: t.arg({ type: RelayHeartbeatInput, required: true, description: 'What it holds.' }),
    },
    resolve: (_root, { input }, context) => heartbeatRelay(context, input),
  }),
  drainRelay: t.field({
    type: RelayType,
    description:
      'Sends a relay away: agents move to others, requests in flight finish, and its process ends. For staff of the platform only.',
    args: { id: t.arg.id({ required: true, description: 'The id of the relay.' }) },
    resolve: (_root, { id }, context) => drainRelay(context, id),
  }),
}))
