import type { AuthtokenScope } from '@sluice/schema/permissions'

/** What the victim’s organization has. */
export interface Ids {
  organizationId: string
  tunnelId: string
  domainId: string
  requestId: string
  memberId: string
  signInId: string
  mailId: string
  authtokenId: string
  relayId: string
  webhookEndpointId: string
  webhookDeliveryId: string
  auditStreamId: string
}

/** `missing` is null without an error: as if the id were nobody’s. */
export type Verdict = 'allowed' | 'missing' | `SLUICE_${string}`

/** How one root field must answer those who may not use it. */
export interface Row {
  document: string
  variables: (ids: Ids) => Record<string, unknown>
  /** A member of another organization. */
  stranger: Verdict
  anonymous: Verdict
  viewer: Verdict
  /** An authtoken of the owner with these scopes. */
  authtoken: { scopes: readonly AuthtokenScope[]; verdict: Verdict }
  /** Allowed, unless even an owner may not. */
  owner?: Verdict
  /** What a subscription listens on. */
  channel?: (ids: Ids) => string
}

const all = ['TUNNELS_START', 'TUNNELS_READ', 'REQUESTS_READ'] as const
const except = (scope: AuthtokenScope) => all.filter((one) => one !== scope)
const unauthenticated = 'SLUICE_UNAUTHENTICATED'
const forbidden = 'SLUICE_FORBIDDEN'

/** For developers and up, and authtokens that may start tunnels. */
const change = (missing: Verdict) =>
  ({
    stranger: missing,
    anonymous: unauthenticated,
    viewer: forbidden,
    authtoken: { scopes: except('TUNNELS_START'), verdict: forbidden },
  }) as const
/** For people with a role, never for an authtoken. */
const manage = (missing: Verdict) =>
  ({ ...change(missing), authtoken: { scopes: all, verdict: forbidden } }) as const
/** Of a person, whatever their role: asked with an id that is nobody’s, as another’s counts. */
const ownOnly = (missing: Verdict) =>
  ({ ...manage(missing), viewer: missing, owner: missing }) as const
/** For staff and relays: nobody of an organization, whatever their role. */
const staff = {
  stranger: forbidden,
  anonymous: unauthenticated,
  viewer: forbidden,
  authtoken: { scopes: all, verdict: forbidden },
  owner: forbidden,
} as const
const noRelay = 'SLUICE_RELAY_KEY_INVALID'
const relay = {
  stranger: noRelay,
  anonymous: noRelay,
  viewer: noRelay,
  authtoken: { scopes: all, verdict: noRelay },
  owner: noRelay,
} as const

const organizationMissing = 'SLUICE_ORGANIZATION_NOT_FOUND'
const tunnelMissing = 'SLUICE_TUNNEL_NOT_FOUND'
const domainMissing = 'SLUICE_DOMAIN_NOT_FOUND'
const endpointMissing = 'SLUICE_WEBHOOK_ENDPOINT_NOT_FOUND'

/** A row per root field that takes an id. In this order an owner may do all of it. */
export const rows: Record<string, Row> = {
  'Query.organization': {
    document: 'query WalkOrganization($id: ID!) { organization(id: $id) { id name } }',
    variables: (ids) => ({ id: ids.organizationId }),
    stranger: 'missing',
    anonymous: 'missing',
    viewer: 'allowed',
    authtoken: { scopes: except('TUNNELS_READ'), verdict: 'allowed' },
  },
  'Query.tunnel': {
    document: 'query WalkTunnel($id: ID!) { tunnel(id: $id) { id } }',
    variables: (ids) => ({ id: ids.tunnelId }),
    stranger: 'missing',
    anonymous: unauthenticated,
    viewer: 'allowed',
    authtoken: { scopes: except('TUNNELS_READ'), verdict: 'missing' },
  },
  'Query.customDomain': {
    document: 'query WalkCustomDomain($id: ID!) { customDomain(id: $id) { id } }',
    variables: (ids) => ({ id: ids.domainId }),
    stranger: 'missing',
    anonymous: 'missing',
    viewer: 'allowed',
    authtoken: { scopes: except('TUNNELS_READ'), verdict: 'missing' },
  },
  'Query.capturedRequest': {
    document: 'query WalkCapturedRequest($id: ID!) { capturedRequest(id: $id) { id } }',
    variables: (ids) => ({ id: ids.requestId }),
    stranger: 'missing',
    anonymous: 'missing',
    viewer: 'allowed',
    authtoken: { scopes: except('REQUESTS_READ'), verdict: 'missing' },
  },
  'Query.webhookEndpoint': {
    document: 'query WalkWebhookEndpoint($id: ID!) { webhookEndpoint(id: $id) { id } }',
    variables: (ids) => ({ id: ids.webhookEndpointId }),
    stranger: 'missing',
    anonymous: 'missing',
    viewer: 'missing',
    authtoken: { scopes: all, verdict: 'missing' },
  },
  'Subscription.trafficEvents': {
    document:
      'subscription WalkTraffic($id: ID!) { trafficEvents(tunnelId: $id) { cursor tunnel { id } } }',
    variables: (ids) => ({ id: ids.tunnelId }),
    stranger: tunnelMissing,
    anonymous: unauthenticated,
    viewer: 'allowed',
    authtoken: { scopes: except('REQUESTS_READ'), verdict: forbidden },
    channel: (ids) => `sluice:traffic:${ids.tunnelId}`,
  },
  'Subscription.tunnelStatus': {
    document:
      'subscription WalkStatus($id: ID!) { tunnelStatus(organizationId: $id) { tunnelId } }',
    variables: (ids) => ({ id: ids.organizationId }),
    stranger: organizationMissing,
    anonymous: unauthenticated,
    viewer: 'allowed',
    authtoken: { scopes: except('TUNNELS_READ'), verdict: forbidden },
    channel: (ids) => `sluice:tunnel-status:${ids.organizationId}`,
  },
  'Subscription.requestCaptured': {
    document:
      'subscription WalkCaptured($id: ID!, $tunnelId: ID) { requestCaptured(organizationId: $id, tunnelId: $tunnelId) { cursor } }',
    variables: (ids) => ({ id: ids.organizationId, tunnelId: ids.tunnelId }),
    stranger: organizationMissing,
    anonymous: unauthenticated,
    viewer: 'allowed',
    authtoken: { scopes: except('REQUESTS_READ'), verdict: forbidden },
    channel: (ids) => `sluice:requests-stored:${ids.organizationId}`,
  },
  'Mutation.createTunnel': {
    document:
      'mutation WalkCreateTunnel($id: ID!) { createTunnel(organizationId: $id, input: {}) { id } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...change(organizationMissing),
  },
  'Mutation.updateTunnel': {
    document:
      'mutation WalkUpdateTunnel($id: ID!) { updateTunnel(id: $id, input: { hostHeader: "walk.test" }) { id } }',
    variables: (ids) => ({ id: ids.tunnelId }),
    ...change(tunnelMissing),
  },
  'Mutation.startTunnel': {
    document:
      'mutation WalkStartTunnel($id: ID!) { startTunnel(input: { tunnelId: $id }) { tunnel { id } grant { agentToken } } }',
    variables: (ids) => ({ id: ids.tunnelId }),
    ...change(tunnelMissing),
  },
  'Mutation.renewAgentToken': {
    document:
      'mutation WalkRenew($id: ID!) { renewAgentToken(tunnelId: $id, epoch: 1) { agentToken } }',
    variables: (ids) => ({ id: ids.tunnelId }),
    ...change(tunnelMissing),
  },
  'Mutation.stopTunnel': {
    document: 'mutation WalkStopTunnel($id: ID!) { stopTunnel(id: $id) { id } }',
    variables: (ids) => ({ id: ids.tunnelId }),
    ...change(tunnelMissing),
  },
  'Mutation.addCustomDomain': {
    document:
      'mutation WalkAddDomain($id: ID!) { addCustomDomain(organizationId: $id, domain: "walk.example.com") { id } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...manage(organizationMissing),
  },
  'Mutation.detachCustomDomain': {
    document: 'mutation WalkDetach($id: ID!) { detachCustomDomain(id: $id) { id } }',
    variables: (ids) => ({ id: ids.domainId }),
    ...manage(domainMissing),
  },
  'Mutation.attachCustomDomain': {
    document:
      'mutation WalkAttach($id: ID!, $tunnelId: ID!) { attachCustomDomain(id: $id, tunnelId: $tunnelId) { id } }',
    variables: (ids) => ({ id: ids.domainId, tunnelId: ids.tunnelId }),
    ...manage(domainMissing),
  },
  'Mutation.verifyCustomDomain': {
    document: 'mutation WalkVerify($id: ID!) { verifyCustomDomain(id: $id) { id } }',
    variables: (ids) => ({ id: ids.domainId }),
    ...manage(domainMissing),
  },
  'Mutation.setDomainCertificate': {
    document:
      'mutation WalkCertificate($id: ID!) { setDomainCertificate(id: $id, chain: "", privateKey: "") { id } }',
    variables: (ids) => ({ id: ids.domainId }),
    ...manage(domainMissing),
    owner: 'SLUICE_CERTIFICATE_INVALID',
  },
  'Mutation.removeDomainCertificate': {
    document: 'mutation WalkNoCertificate($id: ID!) { removeDomainCertificate(id: $id) { id } }',
    variables: (ids) => ({ id: ids.domainId }),
    ...manage(domainMissing),
  },
  'Mutation.removeCustomDomain': {
    document: 'mutation WalkRemoveDomain($id: ID!) { removeCustomDomain(id: $id) }',
    variables: (ids) => ({ id: ids.domainId }),
    ...manage(domainMissing),
  },
  'Mutation.createWebhookEndpoint': {
    document:
      'mutation WalkCreateWebhook($id: ID!) { createWebhookEndpoint(organizationId: $id, input: { url: "https://walk.example.com", events: ["tunnel.created"] }) { secret } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...manage(organizationMissing),
  },
  'Mutation.updateWebhookEndpoint': {
    document:
      'mutation WalkUpdateWebhook($id: ID!) { updateWebhookEndpoint(id: $id, input: { description: "walk" }) { id } }',
    variables: (ids) => ({ id: ids.webhookEndpointId }),
    ...manage(endpointMissing),
  },
  'Mutation.rotateWebhookSecret': {
    document: 'mutation WalkRotateWebhook($id: ID!) { rotateWebhookSecret(id: $id) { secret } }',
    variables: (ids) => ({ id: ids.webhookEndpointId }),
    ...manage(endpointMissing),
  },
  'Mutation.sendTestWebhook': {
    document: 'mutation WalkTestWebhook($id: ID!) { sendTestWebhook(id: $id) { payload } }',
    variables: (ids) => ({ id: ids.webhookEndpointId }),
    ...manage(endpointMissing),
  },
  'Mutation.replayWebhookDelivery': {
    document: 'mutation WalkReplay($id: ID!) { replayWebhookDelivery(id: $id) { payload } }',
    variables: (ids) => ({ id: ids.webhookDeliveryId }),
    ...manage('SLUICE_WEBHOOK_DELIVERY_NOT_FOUND'),
  },
  'Mutation.replayWebhookDeliveries': {
    document: `mutation WalkReplayAll($id: ID!) { replayWebhookDeliveries(endpointId: $id, failedOnly: false,
      from: "2026-01-01T00:00:00.000Z", to: "2100-01-01T00:00:00.000Z") }`,
    variables: (ids) => ({ id: ids.webhookEndpointId }),
    ...manage(endpointMissing),
  },
  'Mutation.deleteWebhookEndpoint': {
    document: 'mutation WalkDeleteWebhook($id: ID!) { deleteWebhookEndpoint(id: $id) }',
    variables: (ids) => ({ id: ids.webhookEndpointId }),
    ...manage(endpointMissing),
  },
  'Mutation.deleteTunnel': {
    document: 'mutation WalkDeleteTunnel($id: ID!) { deleteTunnel(id: $id) }',
    variables: (ids) => ({ id: ids.tunnelId }),
    ...change(tunnelMissing),
  },
  'Mutation.changeMemberRole': {
    document: 'mutation WalkRole($id: ID!) { changeMemberRole(memberId: $id, role: ADMIN) { id } }',
    variables: (ids) => ({ id: ids.memberId }),
    ...manage('SLUICE_MEMBER_NOT_FOUND'),
  },
  'Mutation.removeMember': {
    document: 'mutation WalkRemoveMember($id: ID!) { removeMember(memberId: $id) }',
    variables: (ids) => ({ id: ids.memberId }),
    ...manage('SLUICE_MEMBER_NOT_FOUND'),
  },
  'Mutation.endSignIn': {
    document: 'mutation WalkEndSignIn($id: ID!) { endSignIn(id: $id) }',
    variables: (ids) => ({ id: ids.signInId }),
    stranger: 'SLUICE_SIGN_IN_NOT_FOUND',
    anonymous: unauthenticated,
    viewer: 'SLUICE_SIGN_IN_NOT_FOUND',
    authtoken: { scopes: all, verdict: forbidden },
  },
  'Mutation.renamePasskey': {
    document:
      'mutation WalkRenamePasskey($id: ID!) { renamePasskey(id: $id, name: "walk") { id } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...ownOnly('SLUICE_PASSKEY_NOT_FOUND'),
  },
  'Mutation.removePasskey': {
    document: 'mutation WalkRemovePasskey($id: ID!) { removePasskey(id: $id) }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...ownOnly('SLUICE_PASSKEY_NOT_FOUND'),
  },
  'Mutation.unlinkSocial': {
    document: 'mutation WalkUnlinkSocial($id: ID!) { unlinkSocial(id: $id) }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...ownOnly('SLUICE_SOCIAL_NOT_LINKED'),
  },
  'Mutation.retryMail': {
    document: 'mutation WalkRetryMail($id: ID!) { retryMail(id: $id) { id } }',
    variables: (ids) => ({ id: ids.mailId }),
    ...staff,
  },
  'Query.staffUser': {
    document: 'query WalkStaffUser($id: ID!) { staffUser(id: $id) { id } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...staff,
  },
  'Query.staffOrganization': {
    document: 'query WalkStaffOrganization($id: ID!) { staffOrganization(id: $id) { id } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...staff,
  },
  'Mutation.suspendUser': {
    document: 'mutation WalkSuspendUser($id: ID!) { suspendUser(id: $id, reason: "walk") { id } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...staff,
  },
  'Mutation.unsuspendUser': {
    document: 'mutation WalkUnsuspendUser($id: ID!) { unsuspendUser(id: $id) { id } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...staff,
  },
  'Mutation.suspendOrganization': {
    document:
      'mutation WalkSuspend($id: ID!) { suspendOrganization(id: $id, reason: "walk") { id } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...staff,
  },
  'Mutation.unsuspendOrganization': {
    document: 'mutation WalkUnsuspend($id: ID!) { unsuspendOrganization(id: $id) { id } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...staff,
  },
  'Mutation.startImpersonation': {
    document:
      'mutation WalkImpersonate($id: ID!) { startImpersonation(input: { userId: $id, reason: "walk" }) { expiresAt } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...staff,
  },
  'Mutation.endImpersonation': {
    document: 'mutation WalkEndImpersonation($id: ID!) { endImpersonation(id: $id) }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...staff,
  },
  'Mutation.createAuthtoken': {
    document:
      'mutation WalkCreateAuthtoken($id: ID!) { createAuthtoken(organizationId: $id, name: "walk") { secret } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...manage(organizationMissing),
  },
  'Mutation.revokeAuthtoken': {
    document: 'mutation WalkRevoke($id: ID!) { revokeAuthtoken(id: $id) { id } }',
    variables: (ids) => ({ id: ids.authtokenId }),
    ...manage('SLUICE_AUTHTOKEN_NOT_FOUND'),
  },
  'Mutation.createAuditStream': {
    document: `mutation WalkCreateAuditStream($id: ID!) { createAuditStream(organizationId: $id, name: "walk",
      kind: WEBHOOK, url: "https://siem.example.com/in") { secret } }`,
    variables: (ids) => ({ id: ids.organizationId }),
    ...manage(organizationMissing),
  },
  'Mutation.switchAuditStream': {
    document:
      'mutation WalkSwitchStream($id: ID!) { switchAuditStream(id: $id, isOn: true) { id } }',
    variables: (ids) => ({ id: ids.auditStreamId }),
    ...manage('SLUICE_AUDIT_STREAM_NOT_FOUND'),
  },
  'Mutation.deleteAuditStream': {
    document: 'mutation WalkDeleteStream($id: ID!) { deleteAuditStream(id: $id) }',
    variables: (ids) => ({ id: ids.auditStreamId }),
    ...manage('SLUICE_AUDIT_STREAM_NOT_FOUND'),
  },
  'Mutation.changePlan': {
    document:
      'mutation WalkPlan($id: ID!) { changePlan(organizationId: $id, planId: "business") { id } }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...staff,
  },
  'Mutation.registerRelay': {
    document: `mutation WalkRegister($id: ID!) { registerRelay(input: { id: $id, region: "eu", edgeUrl: "ws://thief.test",
      publicHttpUrl: "http://thief.test", version: "1", capacity: 1 }) { id } }`,
    variables: (ids) => ({ id: ids.relayId }),
    ...relay,
  },
  'Mutation.drainRelay': {
    document: 'mutation WalkDrainRelay($id: ID!) { drainRelay(id: $id) { id } }',
    variables: (ids) => ({ id: ids.relayId }),
    ...staff,
  },
  'Mutation.setVisitNotice': {
    document:
      'mutation WalkVisitNotice($id: ID!) { setVisitNotice(organizationId: $id, isOn: false) }',
    variables: (ids) => ({ id: ids.organizationId }),
    ...staff,
  },
  'Mutation.heartbeatRelay': {
    document: `mutation WalkHeartbeat($id: ID!) { heartbeatRelay(input: { id: $id, draining: true, connections: 0, sessions: [] }) { drain } }`,
    variables: (ids) => ({ id: ids.relayId }),
    ...relay,
  },
}

/** How a field of an organization answers a viewer, and an owner's authtoken with these scopes. */
export interface FieldRow {
  viewer: Verdict
  authtoken: {
    scopes: readonly AuthtokenScope[]
    verdict: Verdict /** Allowed, unless there is nothing to see in the walk. */
    owner?: Verdict
  }
}

const open = {
  viewer: 'allowed',
  authtoken: { scopes: ['TUNNELS_START'], verdict: 'allowed' },
} as const
const readable = (scope: AuthtokenScope) =>
  ({ viewer: 'allowed', authtoken: { scopes: except(scope), verdict: 'missing' } }) as const
const people = { viewer: 'allowed', authtoken: { scopes: all, verdict: forbidden } } as const

/** A row per field of `Organization`: whoever may see the organization may not see all of it. */
export const organizationRows: Record<string, FieldRow> = {
  id: open,
  name: open,
  slug: open,
  createdAt: open,
  viewerRole: open,
  members: people,
  authtokens: people,
  auditEntries: { ...people, viewer: forbidden },
  auditIntegrity: { ...people, viewer: forbidden },
  auditSignedHeads: { ...people, viewer: forbidden },
  auditHeadKeys: open,
  auditStreams: { ...people, viewer: forbidden },
  suspension: {
    owner: 'missing',
    viewer: 'missing',
    authtoken: { scopes: all, verdict: 'missing' },
  },
  anomalies: { ...people, viewer: forbidden },
  tunnels: readable('TUNNELS_READ'),
  customDomains: readable('TUNNELS_READ'),
  requests: readable('REQUESTS_READ'),
  webhookEndpoints: { viewer: 'missing', authtoken: { scopes: all, verdict: 'missing' } },
  plan: readable('TUNNELS_READ'),
  planSubscription: readable('TUNNELS_READ'),
  entitlements: readable('TUNNELS_READ'),
  usage: readable('TUNNELS_READ'),
}
