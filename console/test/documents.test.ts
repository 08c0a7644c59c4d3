import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { buildSchema, Kind, parse, validate, visit } from 'graphql'
import type { DocumentNode } from 'graphql'
import { cacheExchange, createClient, createRequest, fetchExchange } from 'urql'
import { expect, test, vi } from 'vitest'
import { pipe, publish, take } from 'wonka'

import * as documents from '../src/gql/graphql.ts'

const schemaFolder = join(import.meta.dirname, '../../schema')
const files = globSync(join(schemaFolder, 'operations/console/*.graphql'))
const texts = files.map((file) => readFileSync(file, 'utf8').trimEnd())

test.for(Object.entries(documents))(
  'the text of %s that is sent is the registered one',
  async ([, document]) => {
    const sent: string[] = []
    const client = createClient({
      url: 'http://console.test/graphql',
      preferGetMethod: false,
      exchanges: [cacheExchange, fetchExchange],
      fetchSubscriptions: true,
      fetch: async (url, init) => {
        const { query } = await new Request(url, init).json()
        sent.push(query)
        return Response.json({ data: {} })
      },
    })
    const [definition] = document.definitions
    const kind = definition?.kind === Kind.OPERATION_DEFINITION ? definition.operation : 'query'

    const request = createRequest(document as DocumentNode, {})
    const operation = client.createRequestOperation(kind, request)
    pipe(client.executeRequestOperation(operation), take(1), publish)
    await vi.waitFor(() => expect(sent).toHaveLength(1), { timeout: 15_000 })

    expect(texts).toContain(sent[0])
  },
)

test('every registered document is used, and valid against the graph', () => {
  const schema = buildSchema(readFileSync(join(schemaFolder, 'api.graphql'), 'utf8'))
  expect(Object.keys(documents)).toHaveLength(files.length)
  expect(texts.flatMap((text) => validate(schema, parse(text)))).toEqual([])
})

test('no document renames a field: an alias could forge the key of an entity', () => {
  const aliases: string[] = []
  for (const text of texts) {
    visit(parse(text), {
      Field(node) {
        if (node.alias) aliases.push(node.alias.value)
      },
    })
  }
  expect(aliases).toEqual([])
})
