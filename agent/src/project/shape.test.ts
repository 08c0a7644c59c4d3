import { expect, test } from 'vitest'

import { keysOf, policyKeys, projectJsonSchema } from './shape.ts'

test('the published JSON Schema is the shape that files are held against', async () => {
  const text = `${JSON.stringify(projectJsonSchema(), null, 2)}\n`

  await expect(text).toMatchFileSnapshot('../../../docs/sluice.schema.json')
})

test('every key of a policy is a key of a tunnel', () => {
  expect(keysOf(['tunnels', 'app'])).toEqual(expect.arrayContaining([...policyKeys]))
})
