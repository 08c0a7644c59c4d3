import { buildSubgraphSchema } from '@apollo/subgraph'
import { BoundedQueue } from '@sluice/kit/bounded-queue'
import type { SubgraphName } from '@sluice/kit/internal-token'
import type { Caller } from '@sluice/kit/subgraph'
import { SluiceError } from '@sluice/schema/errors'
import { parse, type GraphQLSchema } from 'graphql'

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@external", "@inaccessible", "@shareable", "@tag", "@listSize"])`

const open = '@tag(name: "public")'

/** Small subgraphs with a join in every direction, and with the types of the alias attack. */
export const fixtureSdl: Record<SubgraphName, string> = {
  identity: `${link}
    type Query { whoami: String! ${open}  me: User  slow: String }
    type Mutation { signIn: Boolean!  rename: Boolean! }
    type User @key(fields: "id") { id: ID!  name: String! }
    type Organization @key(fields: "id") { id: ID!  name: String! ${open}  slug: String! }`,
  tunnels: `${link}
    type Query { mine: Tunnel ${open}  thing: Thing  any: Anything  boom: String  forbidden: String  incomplete: Tunnel }
    interface Thing { id: ID! }
    union Anything = Tunnel
    type Tunnel implements Thing @key(fields: "id") { id: ID!  name: String! ${open}  owner: User  organization: Organization ${open} }
    type User @key(fields: "id", resolvable: false) { id: ID! }
    type Organization @key(fields: "id") { id: ID!  tunnels: [Tunnel!] ${open} @listSize(assumedSize: 50) }
    type Subscription { events(tunnelId: ID!, after: ID): TrafficEvent! ${open}  refused: TrafficEvent! }
    type TrafficEvent { n: Int! ${open}  text: String ${open}  tunnel: Tunnel  organization: Organization  hidden: String @inaccessible }`,
  domains: `${link}
    type Query { domainsUp: Boolean }
    type Tunnel @key(fields: "id") { id: ID!  status: String  note: String  mirror(x: String!): String ${open}  org: String @inaccessible  domain: String }`,
  billing: `${link}
    type Query { plans: [String!] }
    type Tunnel @key(fields: "id") { id: ID!  status: String @external  org: String @external  computed: String @requires(fields: "status") ${open}  orgComputed: String @requires(fields: "org") }`,
}

/** What a test sees of the subgraphs and how it makes them behave. */
export interface FixtureWorld {
  /** Calls by `Type.field`, with the principal's id. */
  readonly calls: { field: string; principalId: string; representation?: unknown }[]
  /** Queues of live `events` subscriptions. */
  readonly live: Set<BoundedQueue<unknown>>
  /** Sends one event to every live subscription of `events`. */
  emit(event: { n: number; text?: string; tunnelId?: string }): void
  /** Resolvers of this field wait until the returned function is called. */
  hold(field: string): () => void
  /** Resolves when the field has been called this many times. */
  called(field: string, times?: number): Promise<void>
  /** Resolves when the gateway gave up on a call of this field. */
  abandoned(field: string): Promise<void>
  /** Resolves when this many `events` subscriptions are live. */
  lives(count: number): Promise<void>
}

export function createFixtureWorld(): FixtureWorld & {
  enter(field: string, caller: Caller, representation?: unknown): Promise<void>
} {
  const calls: FixtureWorld['calls'] = []
  const held = new Map<string, Promise<void>>()
  const live = new Set<BoundedQueue<unknown>>()
  const gone = new Set<string>()
  const watchers = new Set<() => void>()
  const changed = () => {
    for (const watcher of Array.from(watchers)) watcher()
  }
  const until = (isTrue: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = () => {
        if (!isTrue()) return
        watchers.delete(look)
        resolve()
      }
      watchers.add(look)
      look()
    })
  const add = live.add.bind(live)
  live.add = (queue) => {
    add(queue)
    changed()
    return live
  }
  const remove = live.delete.bind(live)
  live.delete = (queue) => {
    const had = remove(queue)
    changed()
    return had
  }
  return {
    calls,
    live,
    emit(event) {
      for (const queue of live) queue.push(event)
    },
    hold(field) {
      const { promise, resolve } = Promise.withResolvers<void>()
      held.set(field, promise)
      return () => {
        held.delete(field)
        resolve()
      }
    },
    called: (field, times = 1) =>
      until(() => calls.filter((call) => call.field === field).length >= times),
    abandoned: (field) => until(() => gone.has(field)),
    lives: (count) => until(() => live.size === count),
    async enter(field, { principal, signal }, representation) {
      signal?.addEventListener('abort', () => {
        // The response of an answered call closes too.
        if (held.has(field)) gone.add(field)
        changed()
      })
      calls.push({
        field,
        principalId: principal.id,
        ...(representation === undefined ? {} : { representation }),
      })
      changed()
      await held.get(field)
    },
  }
}

type World = ReturnType<typeof createFixtureWorld>
type Representation = Readonly<Record<string, unknown>>
type Resolver = (
  source: Representation,
  args: Readonly<Record<string, unknown>>,
  context: Caller,
) => unknown

export function fixtureSchemas(world: World): Record<SubgraphName, GraphQLSchema> {
  const reference =
    (
      field: string,
      resolve: (representation: Representation, caller: Caller) => unknown = (one) => one,
    ) =>
    async (representation: Representation, caller: Caller) => {
      await world.enter(field, caller, representation)
      return resolve(representation, caller)
    }
  const field =
    (name: string, resolve: Resolver): Resolver =>
    async (source, args, context) => {
      await world.enter(name, context)
      return resolve(source, args, context)
    }
  const tunnel = { id: 't1', name: 'one', __typename: 'Tunnel' }

  const resolvers: Record<SubgraphName, Record<string, object>> = {
    identity: {
      Query: {
        whoami: field('whoami', (_source, _args, { principal }) => principal.id),
        me: field('me', (_source, _args, { principal }) => ({ id: principal.id })),
        slow: field('slow', () => 'slow'),
      },
      Mutation: {
        signIn: field('signIn', (_source, _args, caller) => {
          caller.setHeader(
            'x-sluice-set-cookie',
            `sluice_refresh=new-${caller.header('x-sluice-refresh-token')}; HttpOnly`,
          )
          return true
        }),
        rename: field('rename', () => true),
      },
      User: {
        __resolveReference: reference('User'),
        name: ({ id }: Representation) => `user ${String(id)}`,
      },
      Organization: {
        __resolveReference: reference('Organization'),
        name: ({ id }: Representation) => `organization ${String(id)}`,
        slug: ({ id }: Representation) => `slug-${String(id)}`,
      },
    },
    tunnels: {
      Query: {
        mine: field('mine', () => tunnel),
        thing: () => tunnel,
        any: () => tunnel,
        boom: () => {
          throw new Error('password=hunter2')
        },
        forbidden: () => {
          throw new SluiceError('SLUICE_FORBIDDEN')
        },
        incomplete: () => ({ id: 't9' }),
      },
      Tunnel: {
        __resolveReference: reference('Tunnel', ({ id }) => ({ id, name: `tunnel ${String(id)}` })),
        owner: () => ({ id: 'u1' }),
        organization: () => ({ id: 'o1' }),
      },
      Organization: { tunnels: () => [tunnel, { ...tunnel, id: 't2' }] },
      Subscription: {
        events: {
          subscribe: async (_source: unknown, _args: unknown, caller: Caller) => {
            await world.enter('events', caller)
            const queue: BoundedQueue<unknown> = new BoundedQueue<unknown>(
              100_000,
              () => void world.live.delete(queue),
            )
            world.live.add(queue)
            return queue
          },
          resolve: ({ n, text, tunnelId = 't1' }: Record<string, unknown>) => ({
            n,
            text,
            hidden: 'hidden',
            tunnel: { id: tunnelId, name: 'one' },
            organization: { id: 'o1' },
          }),
        },
        refused: {
          subscribe: () => {
            throw new SluiceError('SLUICE_FORBIDDEN')
          },
        },
      },
    },
    domains: {
      Query: { domainsUp: () => true },
      Tunnel: {
        __resolveReference: reference('domains.Tunnel'),
        status: () => 'real status',
        note: () => 'my own note',
        mirror: (_source: unknown, { x }: { x: string }) => x,
        org: () => 'real org',
        domain: ({ id }: Representation) => `${String(id)}.example.test`,
      },
    },
    billing: {
      Query: { plans: () => ['free'] },
      Tunnel: {
        __resolveReference: reference('billing.Tunnel'),
        computed: (source: Representation) => `computed from ${String(source['status'])}`,
        orgComputed: (source: Representation) => `computed from ${String(source['org'])}`,
      },
    },
  }
  return Object.fromEntries(
    Object.entries(fixtureSdl).map(([name, sdl]) => [
      name,
      buildSubgraphSchema({
        typeDefs: parse(sdl),
        resolvers: resolvers[name as SubgraphName] as never,
      }),
    ]),
  ) as Record<SubgraphName, GraphQLSchema>
}
