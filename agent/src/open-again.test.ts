import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { SluiceError } from '@sluice/schema/errors'
import { expect, test } from 'vitest'

import { createApi } from './api.ts'
import {
  fixtureAuthtoken,
  fixtureTunnel,
  fixtureViewer,
  openGraphFixture,
} from './graph-fixture.ts'
import { openAgain } from './open-again.ts'
import type { AgentSession } from './session/agent-session.ts'
import { createTargetGuard } from './target-guard.ts'
import type { StartTunnelInput } from './tunnel-input.ts'

/** A server that chooses `first`, then `second`, and a configuration folder of one's own. */
async function openWorld() {
  const tunnels: ReturnType<typeof fixtureTunnel>[] = []
  const chosen = ['first', 'second']
  const asked: StartTunnelInput[] = []
  const folder = await mkdtemp(join(tmpdir(), 'sluice-names-'))
  const state = { mayList: true }
  const server = await openGraphFixture({
    viewer: () => ({
      ...fixtureViewer,
      organization: {
        ...fixtureViewer.organization,
        tunnels() {
          if (!state.mayList) throw new SluiceError('SLUICE_FORBIDDEN')
          return { nodes: tunnels, pageInfo: { hasNextPage: false, endCursor: null } }
        },
      },
    }),
    startTunnel({ input }: { input: StartTunnelInput }) {
      asked.push({ ...input })
      const tunnel = fixtureTunnel(input.name ?? chosen.shift() ?? 'none')
      const grant = {
        agentToken: 'eyJ.a.b',
        expiresAt: new Date(Date.now() + 300_000).toISOString(),
        epoch: 1,
        hostHeader: null,
        edges: [],
      }
      return { tunnel, urls: tunnel.urls, grant }
    },
  })
  const signal = new AbortController().signal
  const session = { on: () => undefined, close: async () => undefined }
  return {
    tunnels,
    asked,
    state,
    namesFile: join(folder, 'sluice', 'names.json'),
    async open(served: string, input: StartTunnelInput = {}) {
      const settings = { configPath: join(folder, 'sluice', 'config.json'), server: server.url }
      const tunnel = await openAgain(settings, served, {
        api: createApi({ server: server.url, authtoken: fixtureAuthtoken }),
        input,
        upstream: { host: '127.0.0.1', port: 3000, tls: false },
        ca: undefined,
        guard: createTargetGuard(),
        signal,
        openSession: () => session as unknown as AgentSession,
      })
      return tunnel.name
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

test('the same target has the name that the server chose the last time', async () => {
  await using world = await openWorld()
  expect(await world.open('http://localhost:3000')).toBe('first')
  world.tunnels.push({ ...fixtureTunnel('first'), status: 'OFFLINE' })

  expect(await world.open('http://localhost:3000')).toBe('first')
  expect(world.asked).toEqual([{}, { name: 'first' }])
  expect(await world.open('http://localhost:4000')).toBe('second')
})

test.for(['served by another agent', 'deleted', 'not to be listed'])(
  'a name that is %s is left alone, and the server chooses',
  async (what) => {
    await using world = await openWorld()
    await world.open('http://localhost:3000')
    const status = what === 'served by another agent' ? 'ONLINE' : 'OFFLINE'
    if (what !== 'deleted') world.tunnels.push({ ...fixtureTunnel('first'), status })
    world.state.mayList = what !== 'not to be listed'

    expect(await world.open('http://localhost:3000')).toBe('second')
  },
)

test('of two agents that serve the same, each start takes a name that is free', async () => {
  await using world = await openWorld()
  await world.open('http://localhost:3000')
  world.tunnels.push({ ...fixtureTunnel('first'), status: 'ONLINE' })
  await world.open('http://localhost:3000')
  world.tunnels.push({ ...fixtureTunnel('second'), status: 'OFFLINE' })

  expect(await world.open('http://localhost:3000')).toBe('second')
  world.tunnels[0] = { ...fixtureTunnel('first'), status: 'OFFLINE' }
  expect(await world.open('http://localhost:3000')).toBe('first')
})

test('a name that was asked for is used and not remembered', async () => {
  await using world = await openWorld()
  expect(await world.open('http://localhost:3000', { name: 'mine' })).toBe('mine')
  await expect(readFile(world.namesFile)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a file that is not ours counts as none', async () => {
  await using world = await openWorld()
  await world.open('http://localhost:3000')
  await writeFile(world.namesFile, '[null')

  expect(await world.open('http://localhost:3000')).toBe('second')
  const names = JSON.parse(await readFile(world.namesFile, 'utf8')) as object
  expect(Object.values(names)).toEqual([['second']])
})
