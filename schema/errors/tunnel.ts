import type { Catalogue } from './catalogue.ts'

export const tunnelErrors = {
  SLUICE_TUNNEL_NOT_FOUND: {
    status: 404,
    title: 'There is no such tunnel.',
    cause: 'It does not exist in your organization.',
    fix: 'Run `sluice tunnels` to list them.',
  },
  SLUICE_TUNNEL_NAME_INVALID: {
    status: 400,
    title: '{name} cannot be a tunnel name.',
    cause: 'A name has 1 to 63 characters: a-z, 0-9 and hyphens inside.',
    fix: 'Choose another name.',
  },
  SLUICE_TUNNEL_NAME_RESERVED: {
    status: 409,
    title: 'The name {name} is reserved.',
    cause: 'The operator keeps it for the platform.',
    fix: 'Choose another name.',
  },
  SLUICE_ENDPOINT_HOST_TAKEN: {
    status: 409,
    title: '{endpointHost} is taken.',
    cause:
      'A tunnel of another organization has this endpoint host, or had it within the last 30 days.',
    fix: 'Choose another --name, or start without it to be given a free one.',
  },
  SLUICE_TUNNELS_MAX: {
    status: 403,
    title: 'Your plan allows {max} tunnels.',
    cause: 'The organization has as many tunnels as its plan allows.',
    fix: 'Start one of them with --name (`sluice tunnels` lists them), delete one in the console under Tunnels, or change to a larger plan.',
  },
  SLUICE_RELAY_UNAVAILABLE: {
    status: 503,
    title: 'No relay is ready.',
    cause: 'No relay of the region is registered and healthy.',
    fix: 'Try again in a few seconds; the operator sees the relays at /graphiql.',
  },
  SLUICE_RELAY_NOT_FOUND: {
    status: 404,
    title: 'There is no such relay.',
    cause: 'No relay has registered under this id.',
    fix: 'List the relays at /graphiql with `{ relays { id status } }`.',
  },
  SLUICE_RELAY_KEY_INVALID: {
    status: 401,
    title: 'The relay key is not valid.',
    cause: 'It is not one of the keys the gateway was configured with.',
    fix: 'Set RELAY_KEY on the relay to a key listed in the gateway’s RELAY_KEY_HASHES.',
  },
  SLUICE_REGION_UNKNOWN: {
    status: 400,
    title: 'There is no region {region}.',
    cause: 'No relay serves this region.',
    fix: 'Leave --region out, or choose one of: {regions}.',
  },
  SLUICE_CAPTURED_REQUEST_NOT_FOUND: {
    status: 404,
    title: 'There is no such captured request.',
    cause: 'It does not exist in your organization, or is older than the retention.',
    fix: 'Choose one from the request log.',
  },
  SLUICE_CURSOR_INVALID: {
    status: 400,
    title: 'The cursor is not valid.',
    cause: 'It was changed, or comes from another list.',
    fix: 'Start from the first page.',
  },
} as const satisfies Catalogue
