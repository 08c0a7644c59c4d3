/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** A visitor of basic authentication. */
export type BasicAuthInput = {
  /** The password. Only a slow hash of it is stored. Absent: the one that this user has already. */
  password?: string | null | undefined;
  /** The user name, without colon. */
  user: string;
};

/** Whether a domain is proven. */
export type DomainStatus =
  /** The TXT record was not found yet. */
  | 'PENDING'
  /** The TXT record proved the domain. */
  | 'VERIFIED';

/** What the edge shall change in a head. To replace a header, remove and add it. */
export type HeaderChangesInput = {
  /** Headers to add, at most 50. */
  add?: Array<HeaderInput> | null | undefined;
  /** Names to take away, at most 50. */
  remove?: Array<string> | null | undefined;
};

/** A header to add. */
export type HeaderInput = {
  /** The name; none that the edge itself sets. */
  name: string;
  /** The value, at most 4,096 characters. */
  value: string;
};

/** What a list of requests is narrowed to; all of it must hold. */
export type RequestFilter = {
  /** Exactly this method. */
  method?: string | null | undefined;
  /** The path has this in it. */
  pathContains?: string | null | undefined;
  /** The path begins with this. */
  pathPrefix?: string | null | undefined;
  /** This status or below. */
  statusMax?: number | null | undefined;
  /** This status or above. */
  statusMin?: number | null | undefined;
};

/** How many requests a tunnel shall take, over all relays. */
export type RequestRateInput = {
  /** Requests at once after a pause; those of a second if absent. */
  burst?: number | null | undefined;
  /** Requests per second, at most 100,000. */
  perSecond: number;
};

/** A tunnel to make. */
export type TunnelInput = {
  /** Keeps the beginnings of bodies; off if absent. */
  captureBodies?: boolean | null | undefined;
  /** The Host that the upstream shall get. */
  hostHeader?: string | null | undefined;
  /** What visitors shall speak to it; HTTP if absent. */
  kind?: TunnelKind | null | undefined;
  /** 1 to 63 of a-z, 0-9 and hyphens inside; a random one if absent. */
  name?: string | null | undefined;
  /** What the edge shall check. */
  policy?: TunnelPolicyInput | null | undefined;
  /** The public port of a TCP or UDP tunnel; a free one if absent. */
  port?: number | null | undefined;
  /** Where visitors shall arrive; any region if absent. */
  region?: string | null | undefined;
};

/** What visitors speak to a tunnel. */
export type TunnelKind =
  /** HTTP, under a host name of its own. */
  | 'HTTP'
  /** Any protocol over TCP, at a port of its own. */
  | 'TCP'
  /** TLS that the upstream terminates, under a host name of its own. */
  | 'TLS'
  /** Datagrams, at a port of its own. */
  | 'UDP';

/** What the edge shall check and change. It replaces the whole policy, but for secrets that are left out. */
export type TunnelPolicyInput = {
  /** Addresses or CIDR blocks that may visit, at most 200. Empty means all. */
  allowIps?: Array<string> | null | undefined;
  /** Bytes per second, both directions together, at least 8,192; absent: no limit. */
  bandwidthBytesPerSecond?: number | null | undefined;
  /** Users of basic authentication, at most 50. */
  basicAuth?: Array<BasicAuthInput> | null | undefined;
  /** Compress text that the upstream sends as it is; off if absent. */
  compression?: boolean | null | undefined;
  /** Addresses or CIDR blocks that may not visit, at most 200. */
  denyIps?: Array<string> | null | undefined;
  /** Changes of requests. */
  requestHeaders?: HeaderChangesInput | null | undefined;
  /** Requests; absent: no limit. */
  requestRate?: RequestRateInput | null | undefined;
  /** Changes of responses. */
  responseHeaders?: HeaderChangesInput | null | undefined;
  /** PEM certificates that must have signed a visitor’s own. */
  visitorCa?: string | null | undefined;
  /** Whose signature a request must carry. */
  webhook?: WebhookInput | null | undefined;
};

/** Whether visitors reach a tunnel. */
export type TunnelStatus =
  /** It is no more; its requests still point to it. */
  | 'DELETED'
  /** It was started, but no agent is connected. */
  | 'OFFLINE'
  /** An agent serves it. */
  | 'ONLINE'
  /** It is not started. */
  | 'STOPPED';

/** What became of a delivery. */
export type WebhookDeliveryState =
  /** The endpoint answered with a status of 200 to 299. */
  | 'DELIVERED'
  /** Every attempt failed. It can be sent again. */
  | 'FAILED'
  /** It waits because the organization is suspended, and goes on when that is lifted. */
  | 'HELD'
  /** It is sent, or waits for its next attempt. */
  | 'PENDING';

/** An endpoint to make. */
export type WebhookEndpointInput = {
  /** At most this many `request.captured` per minute, up to 600; 60 if absent. */
  capturedPerMinuteMax?: number | null | undefined;
  /** What it is for; at most 200 characters. */
  description?: string | null | undefined;
  /** What to tell it, of: tunnel.created, tunnel.started, tunnel.online, tunnel.offline, tunnel.stopped, tunnel.deleted, domain.added, domain.verified, domain.attached, domain.detached, domain.removed, request.captured. */
  events: Array<string>;
  /** Where to post: https, a public address. */
  url: string;
};

/** Lets only requests pass that a provider has signed. */
export type WebhookInput = {
  /** Who signs. */
  provider: WebhookProvider;
  /** The signing secret, of PayPal the webhook id. It is never shown. Absent: the one that is set. */
  secret?: string | null | undefined;
};

/** Who signs the webhooks that a tunnel takes. */
export type WebhookProvider =
  /** Signed as GitHub signs. */
  | 'GITHUB'
  /** Signed as PayPal signs. */
  | 'PAYPAL'
  /** Signed as Razorpay signs. */
  | 'RAZORPAY'
  /** Signed as Shopify signs. */
  | 'SHOPIFY'
  /** Signed as Slack signs. */
  | 'SLACK'
  /** Signed as Stripe signs. */
  | 'STRIPE';

export type AddDomainMutationVariables = Exact<{
  organizationId: string | number;
  domain: string;
}>;


export type AddDomainMutation = { addCustomDomain: { id: string, status: DomainStatus, dnsRecords: Array<{ type: string, name: string, value: string, purpose: string }> } };

export type AttachDomainMutationVariables = Exact<{
  id: string | number;
  tunnelId: string | number;
}>;


export type AttachDomainMutation = { attachCustomDomain: { id: string, tunnel: { id: string } | null } };

export type CreateTunnelMutationVariables = Exact<{
  organizationId: string | number;
  input: TunnelInput;
}>;


export type CreateTunnelMutation = { createTunnel: { id: string, name: string, endpointHost: string, status: TunnelStatus } };

export type CreateWebhookEndpointMutationVariables = Exact<{
  organizationId: string | number;
  input: WebhookEndpointInput;
}>;


export type CreateWebhookEndpointMutation = { createWebhookEndpoint: { secret: string, endpoint: { id: string, url: string, events: Array<string> } } };

export type DeleteTunnelMutationVariables = Exact<{
  id: string | number;
}>;


export type DeleteTunnelMutation = { deleteTunnel: string };

export type ListRequestsQueryVariables = Exact<{
  tunnelId: string | number;
  filter?: RequestFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ListRequestsQuery = { tunnel: { requests: { nodes: Array<{ id: string, method: string, path: string, status: number, startedAt: string, durationMs: number }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } | null };

export type ListTunnelsQueryVariables = Exact<{
  organizationId: string | number;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ListTunnelsQuery = { organization: { tunnels: { nodes: Array<{ id: string, name: string, status: TunnelStatus, urls: Array<string>, customDomains: Array<{ domain: string }> | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type ListWebhookDeliveriesQueryVariables = Exact<{
  organizationId: string | number;
}>;


export type ListWebhookDeliveriesQuery = { organization: { webhookEndpoints: Array<{ id: string, url: string, isEnabled: boolean, deliveries: { nodes: Array<{ id: string, event: string, state: WebhookDeliveryState, createdAt: string, attempts: Array<{ status: number | null, error: string | null }> }> } }> | null } | null };

export type ReplayWebhookDeliveryMutationVariables = Exact<{
  id: string | number;
}>;


export type ReplayWebhookDeliveryMutation = { replayWebhookDelivery: { id: string, state: WebhookDeliveryState } };

export type StopTunnelMutationVariables = Exact<{
  id: string | number;
}>;


export type StopTunnelMutation = { stopTunnel: { id: string, status: TunnelStatus } };

export type UsageQueryVariables = Exact<{
  organizationId: string | number;
}>;


export type UsageQuery = { organization: { usage: { periodEnd: string, requests: { used: number, limit: number }, bytes: { used: number, limit: number } } | null } | null };

export type VerifyDomainMutationVariables = Exact<{
  id: string | number;
}>;


export type VerifyDomainMutation = { verifyCustomDomain: { id: string, status: DomainStatus, lastError: string | null } };

export type WhoamiQueryVariables = Exact<{ [key: string]: never; }>;


export type WhoamiQuery = { viewer: { organization: { id: string, name: string, plan: { name: string } | null } | null } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const AddDomainDocument = new TypedDocumentString(`
    mutation AddDomain($organizationId: ID!, $domain: String!) {
  addCustomDomain(organizationId: $organizationId, domain: $domain) {
    id
    status
    dnsRecords {
      type
      name
      value
      purpose
    }
  }
}
    `) as unknown as TypedDocumentString<AddDomainMutation, AddDomainMutationVariables>;
export const AttachDomainDocument = new TypedDocumentString(`
    mutation AttachDomain($id: ID!, $tunnelId: ID!) {
  attachCustomDomain(id: $id, tunnelId: $tunnelId) {
    id
    tunnel {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<AttachDomainMutation, AttachDomainMutationVariables>;
export const CreateTunnelDocument = new TypedDocumentString(`
    mutation CreateTunnel($organizationId: ID!, $input: TunnelInput!) {
  createTunnel(organizationId: $organizationId, input: $input) {
    id
    name
    endpointHost
    status
  }
}
    `) as unknown as TypedDocumentString<CreateTunnelMutation, CreateTunnelMutationVariables>;
export const CreateWebhookEndpointDocument = new TypedDocumentString(`
    mutation CreateWebhookEndpoint($organizationId: ID!, $input: WebhookEndpointInput!) {
  createWebhookEndpoint(organizationId: $organizationId, input: $input) {
    secret
    endpoint {
      id
      url
      events
    }
  }
}
    `) as unknown as TypedDocumentString<CreateWebhookEndpointMutation, CreateWebhookEndpointMutationVariables>;
export const DeleteTunnelDocument = new TypedDocumentString(`
    mutation DeleteTunnel($id: ID!) {
  deleteTunnel(id: $id)
}
    `) as unknown as TypedDocumentString<DeleteTunnelMutation, DeleteTunnelMutationVariables>;
export const ListRequestsDocument = new TypedDocumentString(`
    query ListRequests($tunnelId: ID!, $filter: RequestFilter, $first: Int = 50, $after: String) {
  tunnel(id: $tunnelId) {
    requests(first: $first, after: $after, filter: $filter) {
      nodes {
        id
        method
        path
        status
        startedAt
        durationMs
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ListRequestsQuery, ListRequestsQueryVariables>;
export const ListTunnelsDocument = new TypedDocumentString(`
    query ListTunnels($organizationId: ID!, $first: Int = 25, $after: String) {
  organization(id: $organizationId) {
    tunnels(first: $first, after: $after) {
      nodes {
        id
        name
        status
        urls
        customDomains {
          domain
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ListTunnelsQuery, ListTunnelsQueryVariables>;
export const ListWebhookDeliveriesDocument = new TypedDocumentString(`
    query ListWebhookDeliveries($organizationId: ID!) {
  organization(id: $organizationId) {
    webhookEndpoints {
      id
      url
      isEnabled
      deliveries(first: 10) {
        nodes {
          id
          event
          state
          createdAt
          attempts {
            status
            error
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ListWebhookDeliveriesQuery, ListWebhookDeliveriesQueryVariables>;
export const ReplayWebhookDeliveryDocument = new TypedDocumentString(`
    mutation ReplayWebhookDelivery($id: ID!) {
  replayWebhookDelivery(id: $id) {
    id
    state
  }
}
    `) as unknown as TypedDocumentString<ReplayWebhookDeliveryMutation, ReplayWebhookDeliveryMutationVariables>;
export const StopTunnelDocument = new TypedDocumentString(`
    mutation StopTunnel($id: ID!) {
  stopTunnel(id: $id) {
    id
    status
  }
}
    `) as unknown as TypedDocumentString<StopTunnelMutation, StopTunnelMutationVariables>;
export const UsageDocument = new TypedDocumentString(`
    query Usage($organizationId: ID!) {
  organization(id: $organizationId) {
    usage {
      periodEnd
      requests {
        used
        limit
      }
      bytes {
        used
        limit
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UsageQuery, UsageQueryVariables>;
export const VerifyDomainDocument = new TypedDocumentString(`
    mutation VerifyDomain($id: ID!) {
  verifyCustomDomain(id: $id) {
    id
    status
    lastError
  }
}
    `) as unknown as TypedDocumentString<VerifyDomainMutation, VerifyDomainMutationVariables>;
export const WhoamiDocument = new TypedDocumentString(`
    query Whoami {
  viewer {
    organization {
      id
      name
      plan {
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<WhoamiQuery, WhoamiQueryVariables>;