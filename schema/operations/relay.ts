/** Documents of the relay. The gateway knows each by the SHA-256 of its text. */
export const relayOperations = {
  registerRelay: `mutation RegisterRelay($input: RelayInput!) {
  registerRelay(input: $input) {
    id
    status
  }
}`,
  heartbeatRelay: `mutation HeartbeatRelay($input: RelayHeartbeatInput!) {
  heartbeatRelay(input: $input) {
    drain
    replacedSessionIds
  }
}`,
  revocations: `query RelayRevokedCredentials($since: DateTime!) {
  stoppedTunnels(since: $since) {
    id
    at
  }
  revokedCredentials(since: $since) {
    kind
    id
    at
  }
}`,
  /** What relays of the release before ask. */
  revocationsBefore: `query RelayRevocations($since: DateTime!) {
  stoppedTunnels(since: $since) {
    id
    at
  }
  revokedAuthtokens(since: $since) {
    id
    at
  }
}`,
  suspensions: `query RelaySuspensions {
  relaySuspendedHosts {
    name
    reason
  }
  relayClosedHosts
}`,
  /** What relays of the release before ask. */
  suspendedHostsBefore: `query RelaySuspendedHosts {
  relaySuspendedHosts {
    name
    reason
  }
}`,
  otherRelaysReady: `query RelayOthersReady($relayId: ID!) {
  otherRelaysReady(relayId: $relayId)
}`,
  hostExists: `query RelayHostExists($endpointHost: String!) {
  relayHostExists(endpointHost: $endpointHost)
}`,
  relayCertificate: `query RelayCertificate($domain: String!) {
  relayCertificate(domain: $domain) {
    chain
    privateKey
  }
}`,
} as const
