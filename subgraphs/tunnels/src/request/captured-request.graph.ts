import { connectionType, pageSize } from '@sluice/kit/graph'
import { may } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'

import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { TunnelType } from '../tunnel/tunnel.graph.ts'
import type { BodySide, CapturedBody } from './captured-body.ts'
import type { CapturedRequest } from './captured-request.entity.ts'
import { isText } from './redact.ts'
import { listRequests, listRequestsOfTunnel } from './request-log.ts'

/** A stored request, or a live one that is not stored yet. */
export type RequestShape = Omit<
  CapturedRequest,
  'sequence' | 'startedAt' | 'requestBody' | 'responseBody'
> &
  Partial<Pick<CapturedRequest, 'requestBody' | 'responseBody'>> & {
    startedAt: Date | string
  }

const HeaderFieldType = builder.objectRef<[name: string, value: string]>('HeaderField').implement({
  tag: 'public',
  description: 'One header field as it was sent, secrets redacted.',
  fields: (t) => ({
    name: t.string({ description: 'The name.', resolve: ([name]) => name }),
    value: t.string({ description: 'The value.', resolve: ([, value]) => value }),
  }),
})

interface BodyShape extends CapturedBody {
  readonly request: RequestShape
  readonly side: BodySide
}

const CapturedBodyType = builder.objectRef<BodyShape>('CapturedBody').implement({
  description: 'The beginning of a body, decoded, secrets redacted.',
  fields: (t) => ({
    contentType: t.exposeString('contentType', {
      description: 'As it was named; empty when it was not.',
    }),
    bytes: t.exposeInt('bytes', { description: 'Bytes kept.' }),
    truncated: t.exposeBoolean('truncated', { description: 'The body was longer.' }),
    text: t.string({
      nullable: true,
      description: 'The body as text; null when it is binary, or kept no more.',
      resolve: async ({ request, side, contentType }, _args, { load }) => {
        const bytes = await load.body.load({ request, side })
        return bytes && isText(contentType, bytes) ? bytes.toString('utf8') : null
      },
    }),
    base64: t.string({
      nullable: true,
      description: 'The bytes in base64; null when they are kept no more.',
      resolve: async ({ request, side }, _args, { load }) =>
        (await load.body.load({ request, side }))?.toString('base64') ?? null,
    }),
  }),
})

/** Bodies say more than metadata: who only views does not read them. */
function bodyOf(request: RequestShape, side: BodySide, { principal }: Context): BodyShape | null {
  const body = side === 'request' ? request.requestBody : request.responseBody
  const readable = may(principal, request.organizationId, 'bodies.read')
  return body && readable ? { ...body, request, side } : null
}

export const CapturedRequestType = builder.objectRef<RequestShape>('CapturedRequest').implement({
  tag: 'public',
  description: 'What one visitor request left behind. Bodies are kept where the tunnel says so.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id; sorts by time.' }),
    method: t.exposeString('method', {
      description: 'The method; TCP, TLS or UDP for a connection.',
    }),
    path: t.exposeString('path', { description: 'Path and query, cut at 2,048 characters.' }),
    status: t.exposeInt('status', {
      description: 'The status that the visitor got; 0 for a connection.',
    }),
    code: t.exposeString('code', {
      nullable: true,
      description: 'Why the edge or the agent answered in the upstream’s place.',
    }),
    protocol: t.exposeString('protocol', {
      description: 'HTTP/1.0, HTTP/1.1, HTTP/2 or WEBSOCKET; TCP, TLS or UDP for a connection.',
    }),
    endpointHost: t.exposeString('endpointHost', { description: 'The host that was visited.' }),
    visitorIp: t.exposeString('visitorIp', { description: 'The address of the visitor.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      description: 'When its first byte arrived.',
    }),
    durationMs: t.exposeFloat('durationMs', {
      description: 'From the first byte in to the last byte out.',
    }),
    firstByteMs: t.exposeFloat('firstByteMs', {
      nullable: true,
      description: 'Until the response began; null when none did.',
    }),
    requestBytes: t.exposeFloat('requestBytes', { description: 'Bytes of the request body.' }),
    responseBytes: t.exposeFloat('responseBytes', { description: 'Bytes of the response body.' }),
    requestHeaders: t.expose('requestHeaders', {
      type: [HeaderFieldType],
      description: 'Headers of the request.',
    }),
    responseHeaders: t.expose('responseHeaders', {
      type: [HeaderFieldType],
      description: 'Headers of the response.',
    }),
    requestBody: t.field({
      tag: 'internal',
      type: CapturedBodyType,
      nullable: true,
      description:
        'The beginning of the request body; null when it was not captured, was empty, or is not for you.',
      resolve: (request, _args, context) => bodyOf(request, 'request', context),
    }),
    responseBody: t.field({
      tag: 'internal',
      type: CapturedBodyType,
      nullable: true,
      description: 'The beginning of the response body; null as the request’s is.',
      resolve: (request, _args, context) => bodyOf(request, 'response', context),
    }),
    tunnel: t.field({
      type: TunnelType,
      nullable: true,
      description: 'The tunnel that served it, also when it was deleted since.',
      resolve: ({ tunnelId }, _args, { load }) => load.tunnel.load(tunnelId),
    }),
  }),
})

builder.asEntity(CapturedRequestType, {
  key: builder.selection<{ id: string }>('id'),
  // The loader shows what the principal may see, whoever made the representation.
  resolveReference: ({ id }, { load }) => load.capturedRequest.load(id) as Promise<RequestShape>,
})

builder.queryField('capturedRequest', (t) =>
  t.field({
    tag: 'public',
    type: CapturedRequestType,
    nullable: true,
    description: 'One request of the log; null when there is none that you may see.',
    args: { id: t.arg.id({ required: true, description: 'The id of the request.' }) },
    resolve: (_root, { id }, { load }) => load.capturedRequest.load(id),
  }),
)

const RequestFilter = builder.inputType('RequestFilter', {
  description: 'What a list of requests is narrowed to; all of it must hold.',
  fields: (t) => ({
    method: t.string({ description: 'Exactly this method.' }),
    statusMin: t.int({ description: 'This status or above.' }),
    statusMax: t.int({ description: 'This status or below.' }),
    pathPrefix: t.string({ description: 'The path begins with this.' }),
    pathContains: t.string({ description: 'The path has this in it.' }),
  }),
})

const CapturedRequestConnection = connectionType(builder, 'CapturedRequest', CapturedRequestType, {
  tag: 'public',
})

builder.objectField(TunnelType, 'requests', (t) =>
  t.field({
    listSize: pageSize,
    type: CapturedRequestConnection,
    description: 'Its requests, newest first.',
    args: {
      first: t.arg.int({ defaultValue: 50, description: 'Rows of the page, at most 100.' }),
      after: t.arg.string({ description: 'Cursor to continue behind.' }),
      filter: t.arg({ type: RequestFilter, description: 'Which requests.' }),
    },
    resolve: (tunnel, args, context) => listRequestsOfTunnel(context, tunnel, args),
  }),
)

builder.objectField(OrganizationType, 'requests', (t) =>
  t.field({
    tag: 'public',
    listSize: pageSize,
    type: CapturedRequestConnection,
    nullable: true,
    description: 'Requests of all its tunnels, newest first; null for those who may not see them.',
    args: {
      first: t.arg.int({ defaultValue: 50, description: 'Rows of the page, at most 100.' }),
      after: t.arg.string({ description: 'Cursor to continue behind.' }),
      filter: t.arg({ type: RequestFilter, description: 'Which requests.' }),
    },
    resolve: ({ id }, args, context) =>
      isUuid(id) && may(context.principal, id, 'requests.read')
        ? listRequests(context, 'organization', id, args)
        : null,
  }),
)
