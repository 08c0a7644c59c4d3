const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])'

/** An event that is joined with two other subgraphs. */
export const liveSdl: Readonly<Record<string, string>> = {
  identity: `${link}
    type Query { up: Boolean }
    type Organization @key(fields: "id") { id: ID! name: String }`,
  tunnels: `${link}
    type Query { tunnelsUp: Boolean }
    type Subscription { trafficEvents(tunnelId: ID!): TrafficEvent! }
    type TrafficEvent { cursor: String! sentAtMs: Float! tunnel: Tunnel }
    type Tunnel @key(fields: "id") { id: ID! organization: Organization }
    type Organization @key(fields: "id", resolvable: false) { id: ID! }`,
  domains: `${link}
    type Query { domainsUp: Boolean }
    type Tunnel @key(fields: "id") { id: ID! domain: String }`,
  billing: `${link}
    type Query { billingUp: Boolean }`,
}

export const liveQuery = `subscription Live($id: ID!) {
  trafficEvents(tunnelId: $id) { cursor sentAtMs tunnel { id domain organization { name } } }
}`
