import { getNamedType, Kind, TypeInfo, visit, visitWithTypeInfo, type GraphQLSchema } from 'graphql'

import type { Call } from './call.ts'
import type { CheckedDocument } from './documents.ts'
import type { Generation, PlannedRequest } from './generation.ts'

/**
 * Types whose fields depend on the memberships of who asks, on the permissions in them and on their scopes, and on nothing
 * else about them. Two people with the same ones see the same, so an operation on these types alone is shared between
 * them. Whatever is not named here is shared by one principal with itself only.
 */
const membershipTypes: ReadonlySet<string> = new Set([
  'Subscription',
  'TrafficEvent',
  'TunnelStatusEvent',
  'RequestCapturedEvent',
  'CapturedRequest',
  'CapturedBody',
  'HeaderField',
  'Tunnel',
  'TunnelPolicy',
  'CustomDomain',
  'DnsRecord',
  'TlsProbe',
  'Organization',
  'Plan',
  'Entitlements',
])

/** A subscription that names a place to continue from first replays what is its own. */
const cursorArgument = 'after'

interface Reach {
  readonly onlyMemberships: boolean
  /** A place to continue from stands in the text itself. */
  readonly replays: boolean
  /** Variables that may name one. */
  readonly cursors: readonly string[]
}

const reaches = new WeakMap<CheckedDocument, Reach>()

/** Equal for two subscriptions that may be answered by the same events: the same question by those who see the same. */
export function viewKeyOf(
  generation: Generation,
  { document, operationName, variables }: Omit<PlannedRequest, 'context'>,
  call: Call,
): string {
  let reach = reaches.get(document)
  if (!reach) {
    reach = reachOf(document, generation.apiSchema)
    reaches.set(document, reach)
  }
  const named = reach.cursors.some((name) => (variables[name] ?? null) !== null)
  if (reach.replays || named) return crypto.randomUUID()
  return JSON.stringify([
    generation.sha256,
    document.canonicalId,
    operationName ?? '',
    // A cursor of null is the same as none.
    sorted(without(variables, reach.cursors)),
    reach.onlyMemberships ? membershipKeyOf(call) : JSON.stringify(call.principal),
  ])
}

function reachOf({ document }: CheckedDocument, schema: GraphQLSchema): Reach {
  const info = new TypeInfo(schema)
  let onlyMemberships = true
  let replays = false
  const cursors: string[] = []
  visit(
    document,
    visitWithTypeInfo(info, {
      Field({ name }) {
        const parent = info.getParentType()
        if (name.value === '__typename' || !parent) return
        if (!membershipTypes.has(getNamedType(parent).name)) onlyMemberships = false
      },
      Argument({ name, value }) {
        if (name.value !== cursorArgument || value.kind === Kind.NULL) return
        if (value.kind === Kind.VARIABLE) cursors.push(value.name.value)
        else replays = true
      },
    }),
  )
  return { onlyMemberships, replays, cursors }
}

/** Who may see the same, by what every subgraph decides from. Two of one role may have different permissions. */
function membershipKeyOf({ principal }: Call): string {
  const { kind, isAdmin, memberships, scopes, impersonatedBy } = principal
  const held = memberships.map((membership) => JSON.stringify(sorted(membership)))
  return JSON.stringify([
    kind,
    isAdmin,
    impersonatedBy !== undefined,
    held.toSorted(),
    scopes.toSorted(),
  ])
}

function without(
  variables: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !names.includes(name)))
}

/** JSON whose members do not depend on the order in which a client wrote them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, inner]) => [name, sorted(inner)] as const)
  return Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)))
}
