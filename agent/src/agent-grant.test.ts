import { SluiceError } from '@sluice/schema/errors'
import { expect, test } from 'vitest'

import { createAgentGrant } from './agent-grant.ts'
import { createApi } from './api.ts'
import { fixtureAuthtoken, openGraphFixture } from './graph-fixture.ts'

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()

/** A grant whose first agent token has so much life left, at a server that answers renewals so. */
function grantAt(
  server: string,
  first: { readonly minutes: number; readonly patienceMs?: number },
  signal = new AbortController().signal,
) {
  return createAgentGrant({
    api: createApi({ server, authtoken: fixtureAuthtoken }),
    tunnelId: 't1',
    first: { agentToken: 'first', expiresAt: inMinutes(first.minutes), epoch: 4 },
    signal,
    renewBaseMs: 10,
    // Long, so that a busy machine still renews in time; short where nobody will answer.
    patienceMs: first.patienceMs ?? 60_000,
  })
}

test('each call after the first renews under the epoch of the start', async () => {
  const asked: unknown[] = []
  await using server = await openGraphFixture({
    renewAgentToken(variables: unknown) {
      asked.push(variables)
      return { agentToken: `renewed-${asked.length}`, expiresAt: inMinutes(5), epoch: 4, edges: [] }
    },
  })
  const grant = grantAt(server.url, { minutes: 5 })

  const tokens = [await grant.agentToken(), await grant.agentToken(), await grant.agentToken()]

  expect(tokens).toEqual(['first', 'renewed-1', 'renewed-2'])
  expect(asked).toEqual([
    { tunnelId: 't1', epoch: 4 },
    { tunnelId: 't1', epoch: 4 },
  ])
})

test('while the server is away, the last agent token serves as long as it lives', async () => {
  const ended = new AbortController()
  const grant = grantAt('http://localhost:1', { minutes: 5, patienceMs: 50 }, ended.signal)

  const tokens = [await grant.agentToken(), await grant.agentToken(), await grant.agentToken()]
  ended.abort()

  expect(tokens).toEqual(['first', 'first', 'first'])
})

test('an agent token that has expired is waited for until the server is back', async () => {
  let isBack = false
  let attempts = 0
  await using server = await openGraphFixture({
    renewAgentToken() {
      attempts += 1
      if (attempts === 3) isBack = true
      if (!isBack) throw new SluiceError('SLUICE_SUBGRAPH_UNAVAILABLE')
      return { agentToken: 'renewed', expiresAt: inMinutes(5), epoch: 4, edges: [] }
    },
  })
  const grant = grantAt(server.url, { minutes: 0 })
  await grant.agentToken()

  expect(await grant.agentToken()).toBe('renewed')
  expect(attempts).toBe(3)
})

test('where an expired agent token may do, it is better than none', async () => {
  const ended = new AbortController()
  const grant = grantAt('http://localhost:1', { minutes: 0, patienceMs: 50 }, ended.signal)
  await grant.agentToken()

  expect(await grant.agentToken({ expiredWillDo: true })).toBe('first')
  ended.abort()
})

test.for(['SLUICE_SESSION_REPLACED', 'SLUICE_SESSION_REVOKED', 'SLUICE_FORBIDDEN'] as const)(
  '%s ends the session even while its agent token lives',
  async (code) => {
    await using server = await openGraphFixture({
      renewAgentToken() {
        throw new SluiceError(code)
      },
    })
    const grant = grantAt(server.url, { minutes: 5 })
    await grant.agentToken()

    await expect(grant.agentToken()).rejects.toMatchObject({ code })
  },
)

test('a fresh agent token is one that was asked for after the question, whatever was under way', async () => {
  const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const arrived = Promise.withResolvers<void>()
  const asked: number[] = []
  const hosts: (string | null)[] = []
  await using server = await openGraphFixture({
    async renewAgentToken() {
      const number = asked.push(asked.length)
      if (number === 1) arrived.resolve()
      await answers[number - 1]?.promise
      const hostHeader = number === 1 ? null : 'localhost:3000'
      return {
        agentToken: `renewed-${number}`,
        expiresAt: inMinutes(5),
        epoch: 4,
        hostHeader,
        edges: [],
      }
    },
  })
  const grant = createAgentGrant({
    api: createApi({ server: server.url, authtoken: fixtureAuthtoken }),
    tunnelId: 't1',
    first: { agentToken: 'first', expiresAt: inMinutes(5), epoch: 4, hostHeader: null },
    signal: new AbortController().signal,
    onHostHeader: (hostHeader) => hosts.push(hostHeader),
    patienceMs: 60_000,
  })
  await grant.agentToken()

  const underWay = grant.agentToken()
  await arrived.promise
  const fresh = grant.agentToken({ expiredWillDo: false, fresh: true })
  answers[0]?.resolve()
  answers[1]?.resolve()

  expect(await underWay).toBe('renewed-1')
  expect(await fresh).toBe('renewed-2')
  expect(hosts).toEqual(['localhost:3000'])
})
