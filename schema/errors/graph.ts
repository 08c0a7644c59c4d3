import type { Catalogue } from './catalogue.ts'

export const graphErrors = {
  SLUICE_DOCUMENT_UNKNOWN: {
    status: 400,
    title: 'The document is not registered.',
    cause: 'This door accepts persisted documents only, and this one is not among them.',
    fix: 'Reload the page, or update the CLI.',
  },
  SLUICE_DOCUMENT_INVALID: {
    status: 400,
    title: 'The GraphQL document is not valid.',
    cause: 'It does not parse, or does not fit the schema.',
    fix: 'Compare it with the schema.',
  },
  SLUICE_DOCUMENT_TOO_LARGE: {
    status: 400,
    title: 'The GraphQL document is too large: {limit}.',
    cause: 'Documents are bounded in depth, aliases, tokens and bytes.',
    fix: 'Ask for less, or split the query.',
  },
  SLUICE_COST_EXCEEDED: {
    status: 400,
    title: 'The operation costs too much.',
    cause: 'It may cost {requested}, and one operation may cost at most {max}.',
    fix: 'Ask for fewer rows with `first`, or for less below lists, and continue with `after`.',
  },
  SLUICE_API_KEY_NEEDED: {
    status: 403,
    title: 'The public graph is for API keys.',
    cause: 'You came with a credential of another kind.',
    fix: 'Create an API key in the console, and send it as `authorization: Bearer slk_…`.',
  },
  SLUICE_BODY_TOO_LARGE: {
    status: 413,
    title: 'The body of the request is larger than {max} bytes.',
    cause: 'What is sent to an address outside the graph is read as a whole, and bounded.',
    fix: 'Send less at once.',
  },
  SLUICE_ALIAS_SHADOWS_FIELD: {
    status: 400,
    title: 'The alias {alias} has the name of a field.',
    cause: 'An alias may not be the name of a field of the type it stands in.',
    fix: 'Choose another alias.',
  },
  SLUICE_INTROSPECTION_FORBIDDEN: {
    status: 403,
    title: 'Introspection is for the signed-in.',
    cause: 'The request was anonymous.',
    fix: 'Sign in first.',
  },
  SLUICE_REQUEST_UNSAFE: {
    status: 403,
    title: 'The request could come from another site.',
    cause: 'It has no JSON content type, or its Origin is not this console.',
    fix: 'Send `content-type: application/json`.',
  },
  SLUICE_SUBGRAPH_UNAVAILABLE: {
    status: 503,
    title: 'A part of Sluice is not answering.',
    cause: 'The part that holds this data is down or restarting.',
    fix: 'Try again in a moment; the rest keeps working.',
  },
  SLUICE_SUBGRAPH_TIMEOUT: {
    status: 504,
    title: 'A part of Sluice is too slow.',
    cause: 'The part that holds this data did not answer in time.',
    fix: 'Try again in a moment.',
  },
  SLUICE_SUBSCRIPTION_LOST: {
    status: 503,
    title: 'The live stream was cut.',
    cause: 'The part that sends these events restarted.',
    fix: 'Subscribe again; a cursor resumes where it stopped.',
  },
  SLUICE_SUBSCRIPTION_RELOAD: {
    status: 503,
    title: 'The live stream was ended by an update.',
    cause: 'The schema of this server changed.',
    fix: 'Subscribe again.',
  },
  SLUICE_SUBSCRIPTIONS_MAX: {
    status: 429,
    title: 'Too many live streams.',
    cause: 'This connection, or you on all of them, has {max} already.',
    fix: 'End one first.',
  },
  SLUICE_INTERNAL: {
    status: 500,
    title: 'Something went wrong on our side.',
    cause: 'An unexpected failure, logged as {id}.',
    fix: 'Try again; if it stays, send the id to the operator.',
  },
} as const satisfies Catalogue
