import { connectionType, pageSize } from '@sluice/kit/graph'
import { may } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'

import { builder } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import type { Relay } from '../relay/relay.entity.ts'
import { UserType } from '../user/user.graph.ts'
import { createTunnel } from './create-tunnel.ts'
import { statusOf } from './live-status.ts'
import { TunnelPolicyInput, TunnelPolicyType } from './policy.graph.ts'
import {
  renewAgentToken,
  startTunnel,
  type AgentTokenGrant,
  type StartedTunnel,
} from './start-tunnel.ts'
import { listTunnels } from './tunnel-list.ts'
import { urlsOf } from './tunnel-urls.ts'
import type { Tunnel } from './tunnel.entity.ts'
import { deleteTunnel, findTunnelOrNull, stopTunnel, updateTunnel } from './tunnel.ts'

export const TunnelStatusType = builder.enumType('TunnelStatus', {
  description: 'Whether visitors reach a tunnel.',
  values: {
    ONLINE: { description: 'An agent serves it.' },
    OFFLINE: { description: 'It was started, but no agent is connected.' },
    STOPPED: { description: 'It is not started.' },
    DELETED: { description: 'It is no more; its requests still point to it.' },
  },
})

const TunnelKindType = builder.enumType('TunnelKind', {
  description: 'What visitors speak to a tunnel.',
  values: {
    HTTP: { value: 'http', description: 'HTTP, under a host name of its own.' },
    TCP: { value: 'tcp', description: 'Any protocol over TCP, at a port of its own.' },
    TLS: {
      value: 'tls',
      description: 'TLS that the upstream terminates, under a host name of its own.',
    },
    UDP: { value: 'udp', description: 'Datagrams, at a port of its own.' },
  },
} as const)

export const TunnelType = builder.objectRef<Tunnel>('Tunnel').implement({
  tag: 'public',
  description: 'An offer to serve an endpoint host.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id.' }),
    name: t.exposeString('name', { description: 'The first label of the endpoint host.' }),
    endpointHost: t.exposeString('endpointHost', {
      description: 'The public host name, without port.',
    }),
    kind: t.field({
      type: TunnelKindType,
      description: 'What visitors speak to it.',
      resolve: ({ kind }) => kind,
    }),
    port: t.exposeInt('port', {
      nullable: true,
      description: 'The public port of a TCP or UDP tunnel.',
    }),
    urls: t.stringList({
      description: 'Where visitors reach it, the plainest first.',
      resolve: async (tunnel, _args, { load, parts }) =>
        urlsOf(tunnel, await load.relays(), parts.publicTunnelUrls),
    }),
    status: t.field({
      type: TunnelStatusType,
      description: 'Whether visitors reach it now.',
      resolve: async (tunnel, _args, { load }) => statusOf(tunnel, await load.live.load(tunnel.id)),
    }),
    region: t.string({
      description: 'The region it was asked for, else that of its last relay; `any` before both.',
      resolve: async (tunnel, _args, { load }) =>
        tunnel.region ??
        (await load.relays()).find(({ id }) => id === tunnel.relayId)?.region ??
        'any',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last started; null while it is stopped.',
    }),
    onlineSince: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Since when the agent of now is connected.',
      resolve: async (tunnel, _args, { load }) => (await load.live.load(tunnel.id))?.since ?? null,
    }),
    connections: t.int({
      description: 'Visitor connections being served now.',
      resolve: async (tunnel, _args, { load }) =>
        (await load.live.load(tunnel.id))?.connections ?? 0,
    }),
    policy: t.field({
      type: TunnelPolicyType,
      description: 'What the edge checks and changes.',
      resolve: (tunnel) => tunnel,
    }),
    captureBodies: t.exposeBoolean('captureBodies', {
      description: 'Whether the beginnings of request and response bodies are kept.',
    }),
    hostHeader: t.exposeString('hostHeader', {
      nullable: true,
      description: 'The Host that the upstream gets; null means the visitor’s own.',
    }),
    organization: t.field({
      type: OrganizationType,
      nullable: true,
      description: 'Whose it is.',
      resolve: ({ organizationId }) => ({ id: organizationId }),
    }),
    owner: t.field({
      tag: 'internal',
      type: UserType,
      nullable: true,
      description: 'The member who made it, or whose authtoken did.',
      resolve: ({ ownerId }) => (ownerId ? { id: ownerId } : null),
    }),
  }),
})

builder.asEntity(TunnelType, {
  key: builder.selection<{ id: string }>('id'),
  // The loader shows what the principal may see, whoever made the representation.
  resolveReference: ({ id }, { load }) => load.tunnel.load(id) as Promise<Tunnel>,
})

const TunnelConnection = connectionType(builder, 'Tunnel', TunnelType, { tag: 'public' })

builder.objectField(OrganizationType, 'tunnels', (t) =>
  t.field({
    tag: 'public',
    listSize: pageSize,
    type: TunnelConnection,
    nullable: true,
    description: 'Its tunnels, newest first; null for those who may not see them.',
    args: {
      first: t.arg.int({ defaultValue: 25, description: 'Rows of the page, at most 100.' }),
      after: t.arg.string({ description: 'Cursor to continue behind.' }),
    },
    resolve: ({ id }, args, context) =>
      isUuid(id) && may(context.principal, id, 'tunnels.read')
        ? listTunnels(context, id, args)
        : null,
  }),
)

builder.queryField('tunnel', (t) =>
  t.field({
    tag: 'public',
    type: TunnelType,
    nullable: true,
    description: 'One tunnel; null when there is none that you may see.',
    args: { id: t.arg.id({ required: true, description: 'The id of the tunnel.' }) },
    resolve: (_root, { id }, context) => findTunnelOrNull(context, id),
  }),
)

const TunnelInput = builder.inputType('TunnelInput', {
  description: 'A tunnel to make.',
  fields: (t) => ({
    name: t.string({
      description: '1 to 63 of a-z, 0-9 and hyphens inside; a random one if absent.',
    }),
    kind: t.field({
      type: TunnelKindType,
      description: 'What visitors shall speak to it; HTTP if absent.',
    }),
    port: t.int({
      description: 'The public port of a TCP or UDP tunnel; a free one if absent.',
    }),
    region: t.string({ description: 'Where visitors shall arrive; any region if absent.' }),
    hostHeader: t.string({ description: 'The Host that the upstream shall get.' }),
    policy: t.field({ type: TunnelPolicyInput, description: 'What the edge shall check.' }),
    captureBodies: t.boolean({ description: 'Keeps the beginnings of bodies; off if absent.' }),
  }),
})

const TunnelUpdateInput = builder.inputType('TunnelUpdateInput', {
  description: 'What to change; what is absent stays.',
  fields: (t) => ({
    hostHeader: t.string({
      description: 'The Host that the upstream shall get; null for the visitor’s.',
    }),
    policy: t.field({ type: TunnelPolicyInput, description: 'Replaces the policy.' }),
    captureBodies: t.boolean({ description: 'Keeps the beginnings of bodies.' }),
  }),
})

const StartTunnelInput = builder.inputType('StartTunnelInput', {
  description: 'Which tunnel to start: by id, by name (made if it does not exist), or a new one.',
  fields: (t) => ({
    organizationId: t.id({ description: 'Not needed for an authtoken: it belongs to one.' }),
    tunnelId: t.id({ description: 'A tunnel that exists.' }),
    name: t.string({ description: 'The name of a tunnel that exists or shall be made.' }),
    kind: t.field({
      type: TunnelKindType,
      description: 'What visitors shall speak to it; HTTP if absent.',
    }),
    port: t.int({
      description: 'The public port of a TCP or UDP tunnel; a free one if absent.',
    }),
    region: t.string({ description: 'Where visitors shall arrive; any region if absent.' }),
    hostHeader: t.string({ description: 'The Host that the upstream shall get.' }),
    policy: t.field({ type: TunnelPolicyInput, description: 'Replaces the stored policy.' }),
    captureBodies: t.boolean({
      description: 'Keeps the beginnings of bodies; as stored if absent.',
    }),
    pooling: t.boolean({
      description:
        'Serves together with the other agents that start it so. Otherwise the new agent takes over.',
    }),
  }),
})

const EdgeType = builder.objectRef<Relay>('Edge').implement({
  tag: 'public',
  description: 'A relay that an agent may dial.',
  fields: (t) => ({
    url: t.exposeString('edgeUrl', { description: 'The WebSocket address to dial.' }),
    region: t.exposeString('region', { description: 'Where the relay stands.' }),
  }),
})

const AgentTokenGrantType = builder.objectRef<AgentTokenGrant>('AgentTokenGrant').implement({
  tag: 'public',
  description: 'An agent token, good for one tunnel and a few minutes.',
  fields: (t) => ({
    agentToken: t.exposeString('agentToken', { description: 'What the agent shows to the relay.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Renew it before.' }),
    epoch: t.exposeInt('epoch', { description: 'The number of this start of the tunnel.' }),
    hostHeader: t.exposeString('hostHeader', {
      nullable: true,
      description:
        'The Host that the upstream shall get from now on; null means the visitor’s own.',
    }),
    edges: t.expose('relays', {
      type: [EdgeType],
      description:
        'Relays to dial from now on, the best first. Of those in the first one’s region the nearest is as good. Empty: stay with those you know.',
    }),
  }),
})

const StartedTunnelType = builder.objectRef<StartedTunnel>('StartedTunnel').implement({
  tag: 'public',
  description: 'A tunnel that was started, and what the agent needs to serve it.',
  fields: (t) => ({
    tunnel: t.expose('tunnel', { type: TunnelType, description: 'The tunnel.' }),
    urls: t.stringList({
      description: 'Where visitors reach it.',
      resolve: ({ tunnel, relays }, _args, { parts }) =>
        urlsOf(tunnel, relays, parts.publicTunnelUrls),
    }),
    edgeUrls: t.stringList({
      tag: 'internal',
      description: 'WebSocket addresses to dial, the best first.',
      deprecationReason: 'The edges of the grant say more.',
      resolve: ({ relays }) => relays.map(({ edgeUrl }) => edgeUrl),
    }),
    grant: t.expose('grant', { type: AgentTokenGrantType, description: 'The first agent token.' }),
  }),
})

const tunnelId = { required: true, description: 'The id of the tunnel.' } as const

builder.mutationFields((t) => ({
  createTunnel: t.field({
    tag: 'public',
    type: TunnelType,
    description: 'Makes a tunnel; it stands still until it is started.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'Whose it shall be.' }),
      input: t.arg({ type: TunnelInput, required: true, description: 'The tunnel.' }),
    },
    resolve: (_root, { organizationId, input }, context) =>
      createTunnel(context, organizationId, input),
  }),
  updateTunnel: t.field({
    tag: 'public',
    type: TunnelType,
    description: 'Changes a tunnel. The edge follows at once, and nobody is disconnected.',
    args: {
      id: t.arg.id(tunnelId),
      input: t.arg({ type: TunnelUpdateInput, required: true, description: 'What to change.' }),
    },
    resolve: (_root, { id, input }, context) => updateTunnel(context, id, input),
  }),
  startTunnel: t.field({
    tag: 'public',
    type: StartedTunnelType,
    description: 'Starts a tunnel. The session of an earlier start is taken over.',
    args: {
      input: t.arg({ type: StartTunnelInput, required: true, description: 'Which tunnel.' }),
    },
    resolve: (_root, { input }, context) => startTunnel(context, input),
  }),
  renewAgentToken: t.field({
    tag: 'public',
    type: AgentTokenGrantType,
    description: 'A new agent token for the same start of a tunnel.',
    args: {
      tunnelId: t.arg.id(tunnelId),
      epoch: t.arg.int({ required: true, description: 'The epoch of the start.' }),
    },
    resolve: (_root, args, context) => renewAgentToken(context, args.tunnelId, args.epoch),
  }),
  stopTunnel: t.field({
    tag: 'public',
    type: TunnelType,
    description: 'Ends the session of a tunnel and keeps its name.',
    args: { id: t.arg.id(tunnelId) },
    resolve: (_root, { id }, context) => stopTunnel(context, id),
  }),
  deleteTunnel: t.field({
    tag: 'public',
    type: 'ID',
    description: 'Ends the session of a tunnel and frees its name. Returns the id.',
    args: { id: t.arg.id(tunnelId) },
    resolve: (_root, { id }, context) => deleteTunnel(context, id),
  }),
}))
