const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])'

/** Four subgraphs with the joins of ours, small enough to be answered from memory. */
export const subgraphSdl: Readonly<Record<string, string>> = {
  identity: `${link}
    type Query { organization(id: ID!): Organization }
    type Organization @key(fields: "id") { id: ID! name: String! slug: String! createdAt: String! members: [User!]! }
    type User @key(fields: "id") { id: ID! name: String! email: String! role: String! }`,
  tunnels: `${link}
    type Organization @key(fields: "id") { id: ID! tunnels: [Tunnel!] }
    type Tunnel @key(fields: "id") { id: ID! name: String! endpointHost: String! urls: [String!]! status: String! region: String! startedAt: String connections: Int! owner: User }
    type User @key(fields: "id", resolvable: false) { id: ID! }`,
  domains: `${link}
    type Tunnel @key(fields: "id") { id: ID! customDomains: [CustomDomain!] }
    type CustomDomain @key(fields: "id") { id: ID! domain: String! status: String! expiresAt: String }`,
  billing: `${link}
    type Organization @key(fields: "id") { id: ID! plan: Plan }
    type Plan { name: String! priceCents: Int! maxTunnels: Int! }
    type Tunnel @key(fields: "id") { id: ID! usage: Usage }
    type Usage { requests: Int! bytesIn: Float! bytesOut: Float! period: String! }`,
}

const tunnelsOfOrganization = 150
const membersOfOrganization = 40

/** An answer of some 90 KB, three fragments, all four subgraphs. */
export const heavyQuery = `query Heavy($id: ID!) {
  organization(id: $id) {
    id name slug createdAt
    plan { name priceCents maxTunnels }
    members { ...Person }
    tunnels { ...TunnelRow owner { ...Person } usage { requests bytesIn bytesOut period } customDomains { ...Domain } }
  }
}
fragment Person on User { id name email role }
fragment TunnelRow on Tunnel { id name endpointHost urls status region startedAt connections }
fragment Domain on CustomDomain { id domain status expiresAt }`

/** Two fetches. */
export const smallQuery = `query Small($id: ID!) {
  organization(id: $id) { id name plan { name maxTunnels } }
}`

type Entity = Readonly<Record<string, unknown>>
type Resolve = (entity: Entity) => unknown

const at = '2026-11-21T12:00:00.000Z'
const user = (id: string) => ({
  __typename: 'User',
  id,
  name: `Member ${id}`,
  email: `member-${id}@example.com`,
  role: 'DEVELOPER',
})
const range = (count: number) => Array.from({ length: count }, (_none, index) => index)

/** Fields that are computed, by subgraph and `Type.field`; others are properties. */
export const resolvers: Readonly<Record<string, Readonly<Record<string, Resolve>>>> = {
  identity: {
    'Organization.name': ({ id }) => `Organization ${String(id)}`,
    'Organization.slug': ({ id }) => `organization-${String(id)}`,
    'Organization.createdAt': () => at,
    'Organization.members': () => range(membersOfOrganization).map((one) => user(`u${one}`)),
    'User.name': ({ id }) => user(String(id)).name,
    'User.email': ({ id }) => user(String(id)).email,
    'User.role': () => 'DEVELOPER',
  },
  tunnels: {
    'Organization.tunnels': ({ id }) =>
      range(tunnelsOfOrganization).map((one) => ({
        __typename: 'Tunnel',
        id: `${String(id)}-t${one}`,
        name: `calm-otter-${one}`,
        endpointHost: `calm-otter-${one}.tunnel.example.com`,
        urls: [`https://calm-otter-${one}.tunnel.example.com`],
        status: 'ONLINE',
        region: 'eu',
        startedAt: at,
        connections: one,
        owner: { __typename: 'User', id: `u${one % membersOfOrganization}` },
      })),
  },
  domains: {
    'Tunnel.customDomains': ({ id }) => [
      {
        __typename: 'CustomDomain',
        id: `${String(id)}-d`,
        domain: `${String(id)}.example.net`,
        status: 'VERIFIED',
        expiresAt: at,
      },
    ],
  },
  billing: {
    'Organization.plan': () => ({ name: 'business', priceCents: 9900, maxTunnels: 200 }),
    'Tunnel.usage': () => ({ requests: 1234, bytesIn: 5e6, bytesOut: 7e7, period: '2026-11' }),
  },
}
