import { authenticationCachedMs } from '@sluice/schema/claims'

/** Every bound of the gateway. Tests shrink them. */
export const defaultLimits = {
  // One request
  bodyBytesMax: 1024 * 1024,
  documentBytesMax: 64 * 1024,
  /** Validation compares fields that merge in pairs: this bounds the square of it. */
  tokensMax: 3_000,
  /** Brackets of any kind open at once, counted before parsing: the parser is recursive. */
  nestingMax: 100,
  /** Fields above one another, fragments opened. */
  depthMax: 24,
  aliasesMax: 64,
  directivesMax: 64,
  /** Fields after every fragment has been opened where it is spread. */
  fieldsMax: 1_000,
  variablesNestingMax: 32,

  // The door of partners
  publicRequestsPerMinute: 600,
  publicCostPerMinute: 20_000,
  /** Of one operation. A page of 100 tunnels with the 10 newest requests of each fits. */
  publicCostMax: 2_500,

  // Caches of one generation
  documentsCachedMax: 1_000,
  plansCachedMax: 1_000,

  // Subgraphs
  subgraphTimeoutMs: 10_000,
  subgraphBytesMax: 16 * 1024 * 1024,
  subgraphConnectionsMax: 64,
  /** Until a subgraph answers a request outside the graph, and between two pieces of the answer. */
  restTimeoutMs: 30_000,
  upstreamConnectMs: 3_000,
  upstreamPingMs: 10_000,
  upstreamMessageBytesMax: 4 * 1024 * 1024,

  // Whoever asks
  authenticationMs: 5_000,
  /** A revocation reaches everybody within 2 s: a change of memberships that identity does not explain by then ends. */
  membershipCheckMs: 1_500,
  authenticationCachedMs,
  authenticationsCachedMax: 10_000,
  /** Different authtokens and API keys of one address that are nobody's, until it is refused for the rest of the window. */
  wrongCredentialsMax: 100,
  wrongCredentialsWindowMs: 10 * 60_000,
  /** So long after it was last looked at, one that was good is let in from an address that is refused otherwise. */
  goodCredentialKeptMs: 60 * 60_000,
  /** A live stream's credential is looked at again this often, should a revocation have been lost. */
  revalidateMs: 60_000,
  /** How often the list of what was revoked is read, whatever Redis has told. */
  revocationsReadMs: 1_000,
  jwksCachedMs: 60_000,

  // Sockets and streams
  socketsMax: 10_000,
  /** Nobody alone takes all of them. Generous: an office, or a proxy that is not trusted, is one address. */
  socketsPerIpMax: 1_000,
  operationsPerSocketMax: 64,
  /** Over all sockets and event streams of one credential; of the anonymous, of one address. */
  subscriptionsPerCallerMax: 1_000,
  messageBytesMax: 256 * 1024,
  connectionInitMs: 5_000,
  pingMs: 15_000,
  /** Unsent bytes on a socket above which its streams wait. */
  socketBufferBytesMax: 256 * 1024,
  eventsQueuedMax: 256,
  eventBytesQueuedMax: 4 * 1024 * 1024,
  /** Events of one stream whose joins run at once; they still leave in order. */
  joinWindow: 64,
  joinTimeoutMs: 5_000,
  /** How long a stream may stay on the supergraph before the current one. */
  reloadDrainMs: 60_000,
  closeGraceMs: 1_000,
} as const

export type Limits = { readonly [name in keyof typeof defaultLimits]: number }
