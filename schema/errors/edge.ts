import type { Catalogue } from './catalogue.ts'

export const edgeErrors = {
  SLUICE_REQUEST_MALFORMED: {
    status: 400,
    title: 'The request is malformed: {reason}.',
    cause: 'It is ambiguous or breaks HTTP, and would be read differently by different servers.',
    fix: 'Correct the program that sent it.',
  },
  SLUICE_REQUEST_HEAD_TOO_LARGE: {
    status: 431,
    title: 'The request head is larger than {max} bytes.',
    cause: 'Request line and headers together are bounded.',
    fix: 'Send fewer or smaller headers; often it is a cookie.',
  },
  SLUICE_REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request did not arrive in time.',
    cause: 'The connection was open, but the headers did not end, or the body hardly moved.',
    fix: 'Send the whole head at once, and the body without long pauses.',
  },
  SLUICE_TUNNEL_UNKNOWN: {
    status: 404,
    title: 'There is no tunnel at {endpointHost}.',
    cause: 'No tunnel has this endpoint host, or it was deleted.',
    fix: 'Check the address. If it is yours, run `sluice http <port> --name <name>`.',
  },
  SLUICE_ROUTE_STALE: {
    status: 421,
    title: '{endpointHost} is not served by this relay any more.',
    cause: 'Another relay brought a request here by an old route. It looks the route up again.',
    fix: 'Nothing: visitors never see this. In logs and metrics, a few while agents move are normal.',
  },
  SLUICE_TLS_MODE_MISMATCH: {
    status: 421,
    title: '{endpointHost} is not served on this listener.',
    cause: 'The tunnel wants another TLS mode, or Host and TLS server name differ.',
    fix: 'Use the exact address the agent printed.',
  },
  SLUICE_TLS_EXPECTED: {
    status: 400,
    title: 'This port speaks HTTPS.',
    cause: 'The request came as plain HTTP to the port for TLS.',
    fix: 'Use https:// in the address, or the port for plain HTTP.',
  },
  SLUICE_VISITOR_CERTIFICATE_REQUIRED: {
    status: 403,
    title: 'This tunnel asks for a client certificate.',
    cause: 'The connection showed none that an authority of the owner has signed.',
    fix: 'Connect over HTTPS with a certificate from the owner; a browser asks for it anew after a restart.',
  },
  SLUICE_BASIC_AUTH_REQUIRED: {
    status: 401,
    title: 'This tunnel asks for a user name and password.',
    cause: 'The owner protects it with basic authentication.',
    fix: 'Ask the owner for both.',
  },
  SLUICE_IP_DENIED: {
    status: 403,
    title: 'Your address may not visit this tunnel.',
    cause: 'The owner allows certain networks only.',
    fix: 'Ask the owner to allow your network.',
  },
  SLUICE_CONNECTIONS_MAX: {
    status: 429,
    title: 'This tunnel is busy.',
    cause: 'It serves as many connections at once as its plan allows.',
    fix: 'Try again in a second.',
  },
  SLUICE_REQUESTS_MAX: {
    status: 429,
    title: 'This tunnel gets too many requests.',
    cause: 'The owner allows {perSecond} requests per second and a burst of {burst}.',
    fix: 'Try again in {retryAfterSeconds} s.',
  },
  SLUICE_WEBHOOK_UNVERIFIED: {
    status: 403,
    title: 'This tunnel takes signed webhooks only.',
    cause: 'The signature is missing or not right.',
    fix: 'Send the webhook from the provider; the owner finds the reason in the log of the relay.',
  },
  SLUICE_WEBHOOK_TOO_LARGE: {
    status: 413,
    title: 'The webhook is larger than {max} bytes.',
    cause: 'The edge holds a webhook until its signature is checked, and holds no more than this.',
    fix: 'Send a smaller one.',
  },
  SLUICE_VISIT_UNCONFIRMED: {
    status: 403,
    title: 'You are about to visit {endpointHost}.',
    cause: 'It is served from somebody’s own machine, and the account behind it is not verified.',
    fix: 'Go on only if you trust who gave you the link. Programs send the header `X-Sluice-Skip-Notice: 1`.',
  },
  SLUICE_TUNNEL_OFFLINE: {
    status: 503,
    title: '{endpointHost} is offline.',
    cause:
      'The tunnel exists, but no agent is connected: it is being restarted, or its owner has stopped it.',
    fix: 'If it is yours, start the agent: `sluice http <port> --name <name>`.',
  },
  SLUICE_HOST_UNDETERMINED: {
    status: 503,
    title: 'Whether there is a tunnel at {endpointHost} cannot be said now.',
    cause:
      'No agent is connected here, and what knows of all tunnels does not answer this relay: Redis and the control plane are away.',
    fix: 'Try again in a few seconds. The operator sees the outage in the readiness and the logs of the platform.',
  },
  SLUICE_RELAY_DRAINING: {
    status: 503,
    title: 'This relay is shutting down.',
    cause: 'It is being restarted and takes no new requests.',
    fix: 'Try again at once; another relay answers.',
  },
  SLUICE_UPSTREAM_REFUSED: {
    status: 502,
    title: 'Nothing answers at {upstream}.',
    cause: 'The agent is connected, but the local service refused the connection: {reason}.',
    fix: 'Start the service, or give the agent the right port.',
  },
  SLUICE_UPSTREAM_INVALID: {
    status: 502,
    title: 'The local service sent an invalid response: {reason}.',
    cause: 'It breaks HTTP, or closed the connection before a whole head was sent.',
    fix: 'Look at the log of the local service.',
  },
  SLUICE_UPSTREAM_TIMEOUT: {
    status: 504,
    title: 'The local service did not answer in time.',
    cause: 'No response head arrived within {seconds} seconds.',
    fix: 'Look at the log of the local service.',
  },
  SLUICE_AGENT_LOST: {
    status: 502,
    title: 'The agent went away during the request.',
    cause: 'Its connection to the relay was cut.',
    fix: 'Send the request again.',
  },
} as const satisfies Catalogue
