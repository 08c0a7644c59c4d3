import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { buildSchema, graphqlSync, parse, validate } from 'graphql'
import { expect, test } from 'vitest'

import { curlOf, examples, graphiqlOf } from './examples.ts'

const schema = buildSchema(
  readFileSync(join(import.meta.dirname, '../../../schema/public.graphql'), 'utf8'),
)
const ids = {
  organizationId: '0198aaaa-0000-7000-8000-000000000000',
  tunnelId: '0198bbbb-0000-7000-8000-000000000000',
}

test.for(examples)('the example “$title” fits the contract, with its variables', (example) => {
  const variableValues = { ...example.variables(ids) }
  const { errors = [] } = graphqlSync({ schema, source: example.text, variableValues })

  // Nobody answers here, so what must not be null is null: those errors have a path, those of the example have none.
  expect(errors.filter(({ path }) => path === undefined)).toEqual([])
  expect(decodeURIComponent(graphiqlOf(example).split('#')[1] ?? '')).toBe(example.text)
})

test('the example that reads a tunnel names one of the organization', () => {
  expect(JSON.stringify(examples.map(({ variables }) => variables(ids)))).toContain(ids.tunnelId)
})

test.for(examples)('the curl command of “$title” sends it through a shell unharmed', (example) => {
  const variables = { ...example.variables(ids), quoted: "it's" }
  const command = curlOf(example, variables, 'https://console.example.com')

  const script = `curl() { printf '%s' "$7"; }\n${command}`
  const sent = JSON.parse(execFileSync('sh', ['-c', script], { encoding: 'utf8' })) as {
    query: string
    variables: unknown
  }

  expect(validate(schema, parse(sent.query))).toEqual([])
  expect(sent.variables).toEqual(variables)
})
