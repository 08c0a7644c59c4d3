import { builder } from '../builder.ts'
import { TunnelType } from '../tunnel/tunnel.graph.ts'
import { CapturedRequestType } from './captured-request.graph.ts'
import { followStoredRequests, type StoredRequestEvent } from './follow-stored-requests.ts'
import { followTraffic, type TrafficEvent } from './follow-traffic.ts'

const TrafficEventType = builder.objectRef<TrafficEvent>('TrafficEvent').implement({
  description: 'A request that has just ended.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'The id of the request.' }),
    missed: t.exposeInt('missed', {
      description: 'Requests dropped before this one because they were read too slowly.',
    }),
    request: t.field({
      type: CapturedRequestType,
      description: 'The request. It reaches the log a moment later.',
      resolve: ({ record }) => record,
    }),
    tunnel: t.field({
      type: TunnelType,
      nullable: true,
      description: 'The tunnel that served it.',
      resolve: ({ record }, _args, { load }) => load.tunnel.load(record.tunnelId),
    }),
  }),
})

const RequestCapturedEventType = builder
  .objectRef<StoredRequestEvent>('RequestCapturedEvent')
  .implement({
    tag: 'public',
    description: 'A request that was stored.',
    fields: (t) => ({
      cursor: t.exposeString('cursor', { description: 'Pass it as `after` to resume behind it.' }),
      missed: t.exposeInt('missed', {
        description: 'Always 0 here: what is read slowly waits in the log.',
      }),
      request: t.expose('request', { type: CapturedRequestType, description: 'The request.' }),
    }),
  })

builder.subscriptionFields((t) => ({
  trafficEvents: t.field({
    type: TrafficEventType,
    description: 'Requests of a tunnel as they end. A slow reader misses the oldest and is told.',
    args: { tunnelId: t.arg.id({ required: true, description: 'The id of the tunnel.' }) },
    subscribe: (_root, { tunnelId }, context) => followTraffic(context, tunnelId),
    resolve: (event) => event,
  }),
  requestCaptured: t.field({
    tag: 'public',
    type: RequestCapturedEventType,
    description: 'Requests of an organization in the order they were stored.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'The id of the organization.' }),
      tunnelId: t.arg.id({ description: 'Of this tunnel only.' }),
      after: t.arg.string({
        description:
          'A cursor of this stream, or of a list of requests: what was stored since comes first.',
      }),
    },
    subscribe: (_root, args, context) => followStoredRequests(context, args),
    resolve: (event) => event,
  }),
}))
