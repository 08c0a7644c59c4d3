const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@external", "@inaccessible", "@shareable", "@interfaceObject", "@provides"])`

/** Four subgraphs with what ours has not: unions, interfaces owned by one and extended by another, lists of lists, clashing names. */
export const richSdl: Readonly<Record<string, string>> = {
  identity: `${link}
    type Query { me: User  node(x: String): Node  nodes: [Node]!  search(x: String): [Found!]  grid: [[Cell!]]!  must: User! }
    type Mutation { first(x: String): User  second: Outcome }
    interface Node { id: ID! }
    union Found = User | Organization | Note
    union Outcome = User | Failure
    enum Role { OWNER DEVELOPER RETIRED @inaccessible }
    scalar Json
    type Failure { reason: String!  user: User }
    type Note { text: String!  clash: Int!  author: User }
    type Cell { x: Int!  y: Float  owner: User!  inner: [[User]] }
    type User implements Node @key(fields: "id") { id: ID!  name: String!  role: Role!  clash: String  friends: [User!]  best: User!  settings: Json  organization: Organization }
    type Organization implements Node @key(fields: "id") @key(fields: "slug region { code }") { id: ID!  slug: String!  region: Region!  clash: Boolean  members: [User!]! }
    type Region @shareable { code: String!  label: String }`,
  tunnels: `${link}
    type Query { anything: [Anything]  media: Media }
    type Mutation { third: Tunnel }
    union Anything = Tunnel | User
    interface Media @key(fields: "id") { id: ID!  title: String }
    type Video implements Media @key(fields: "id") { id: ID!  title: String  length: Int! }
    type Book implements Media @key(fields: "id") { id: ID!  title: String  pages: Int  author: User }
    type Tunnel @key(fields: "id") { id: ID!  name: String!  owner: User  labels: [String!]!  media: [Media!]  weight: Float! }
    type User @key(fields: "id") { id: ID!  tunnels: [Tunnel!]!  primary: Tunnel  note: String }
    type Organization @key(fields: "id") { id: ID!  tunnels: [[Tunnel]!] }`,
  domains: `${link}
    type Media @interfaceObject @key(fields: "id") { id: ID!  rating: Int  reviews: [Review!]! }
    type Review { text: String!  by: User }
    type Tunnel @key(fields: "id") { id: ID!  name: String! @external  weight: Float! @external  domain: String  cost: Float @requires(fields: "weight name")  status: Status! }
    type User @key(fields: "id") { id: ID!  badges: [Badge]!  score: Int! }
    enum Status { UP DOWN }
    type Badge { name: String!  level: Int }`,
  billing: `${link}
    type Query { plans: [Plan!]! }
    type Plan { name: String!  price: Float!  holders: [Organization!] }
    type Organization @key(fields: "slug region { code }") { slug: String!  region: Region!  plan: Plan  usage(x: String): Int! }
    type Region @shareable { code: String! }
    type User @key(fields: "id") { id: ID!  score: Int! @external  badges: [Badge]! @external  rank: String! @requires(fields: "score badges { level name }") }
    type Badge { name: String! @external  level: Int @external }`,
}
