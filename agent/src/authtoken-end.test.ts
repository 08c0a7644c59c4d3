import { expect, test } from 'vitest'

import { createApi } from './api.ts'
import { warnOfEnd } from './authtoken-end.ts'
import { fixtureAuthtoken, fixtureViewer, openGraphFixture } from './graph-fixture.ts'

const dayMs = 86_400_000

async function warningsOf(leftMs: number | null): Promise<string[]> {
  const expiresAt = leftMs === null ? null : new Date(Date.now() + leftMs).toISOString()
  await using graph = await openGraphFixture({ viewer: { ...fixtureViewer, expiresAt } })
  const warnings: string[] = []
  const api = createApi({
    server: graph.url,
    authtoken: fixtureAuthtoken,
    signal: AbortSignal.timeout(30_000),
  })
  const output = { warning: (text: string) => void warnings.push(text) }
  await warnOfEnd(api, output, { server: 'https://sluice.test' })
  return warnings
}

test('an authtoken that ends within a week is warned of, with what to do', async () => {
  const [soon] = await warningsOf(3.5 * dayMs)

  expect(soon).toContain('expires in 3 days')
  expect(soon).toContain('https://sluice.test/authtokens')
  expect((await warningsOf(dayMs / 2))[0]).toContain('within a day')
  expect(await warningsOf(8 * dayMs)).toEqual([])
  expect(await warningsOf(null)).toEqual([])
})

test('a server that does not say when it ends keeps nobody from working', async () => {
  await using graph = await openGraphFixture({})
  const api = createApi({
    server: graph.url,
    authtoken: 'slt_unknown',
    signal: AbortSignal.timeout(30_000),
  })

  await warnOfEnd(api, { warning: (text) => expect.unreachable(text) }, { server: graph.url })
})
