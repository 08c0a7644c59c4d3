import { expect, test } from 'vitest'

import { brokenPromises } from './contract.ts'

const published = `
  type Query { tunnel(id: ID!): Tunnel plans: [String!]! @deprecated(reason: "Ask the organization. Until 2027-03-01.") }
  type Tunnel { id: ID! name: String kind: Kind! }
  enum Kind { HTTP TCP UDP @deprecated(reason: "Nobody used it.") }`
const changed = (from: string, to: string) => brokenPromises(published, published.replace(from, to))

test('what is added breaks nothing', () => {
  expect(changed('name: String', 'name: String port: Int')).toEqual([])
  expect(changed('tunnel(id: ID!)', 'tunnel(id: ID!, at: String)')).toEqual([])
})

test.for([
  ['a field that is taken away', 'name: String', '', 'Tunnel.name was removed.'],
  ['a field that may be null now', 'kind: Kind!', 'kind: Kind', 'from Kind! to Kind.'],
  [
    'an argument that is required now',
    'id: ID!)',
    'id: ID!, at: String!)',
    'at on Query.tunnel was added.',
  ],
  ['an enum value that is taken away', 'HTTP', '', 'HTTP was removed from enum type Kind.'],
] as const)('%s breaks the contract', ([, from, to, why]) => {
  const [problem] = changed(from, to)

  expect(problem).toContain('The contract with partners is broken: ')
  expect(problem).toContain(why)
})

test('what was published as deprecated may go', () => {
  expect(changed(/plans.*/.exec(published)?.[0] ?? '', '}')).toEqual([])
  expect(changed(/UDP.*/.exec(published)?.[0] ?? '', '}')).toEqual([])
})
