import { createServer } from 'node:net'

import { expect, test } from 'vitest'

import { Edges, type Edge } from './edges.ts'

const { signal } = new AbortController()

function edge(name: string, region = 'eu'): Edge {
  return { url: `wss://${name}.test/_sluice/session`, region }
}

function edgesOf(latencies: Readonly<Record<string, number | undefined>>, offered: Edge[]): Edges {
  return new Edges(offered, {
    probe: (url) => Promise.resolve(latencies[new URL(url).hostname.split('.')[0] ?? '']),
  })
}

async function round(edges: Edges, count: number): Promise<string[]> {
  const names: string[] = []
  while (names.length < count) {
    names.push(new URL(await edges.take(signal)).hostname.split('.')[0] ?? '')
    edges.pass()
  }
  return names
}

test('relays of the region are tried in the order of their latency, those elsewhere after them', async () => {
  const offered = [edge('a'), edge('far', 'us'), edge('b'), edge('c')]
  const edges = edgesOf({ a: 90, b: 30, c: 60, far: 1 }, offered)

  expect(await round(edges, 4)).toEqual(['b', 'c', 'a', 'far'])
})

test('relays that are about equally near stay in the order of the server', async () => {
  const edges = edgesOf({ a: 24, b: 20, c: 22 }, [edge('a'), edge('b'), edge('c')])

  expect(await round(edges, 3)).toEqual(['a', 'b', 'c'])
})

test('a relay that does not answer comes last, and is measured again after the round', async () => {
  const latencies: Record<string, number | undefined> = { a: undefined, b: 20 }
  const edges = edgesOf(latencies, [edge('a'), edge('b')])

  expect(await round(edges, 2)).toEqual(['b', 'a'])
  latencies['a'] = 1
  latencies['b'] = undefined
  expect(await round(edges, 2)).toEqual(['a', 'b'])
})

test('a new list of the server is taken up, an empty one is not', async () => {
  const edges = edgesOf({ a: 1, b: 1 }, [edge('a')])
  expect(await edges.take(signal)).toContain('a.test')

  edges.offer([edge('b')])
  expect(await edges.take(signal)).toContain('b.test')
  edges.offer([])
  expect(await edges.take(signal)).toContain('b.test')
})

test('a single relay is dialled unmeasured, and so is one behind a proxy', async () => {
  const probe = () => Promise.reject(new Error('must not be asked'))
  const proxyOf = () => new URL('http://proxy.test')

  expect(await new Edges([edge('a')], { probe }).take(signal)).toContain('a.test')
  expect(await new Edges([edge('a'), edge('b')], { probe, proxyOf }).take(signal)).toContain(
    'a.test',
  )
})

test('latency is measured by a connection, which is closed again', async () => {
  const closed = Promise.withResolvers<void>()
  const server = createServer((socket) => socket.on('close', closed.resolve).resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const open = { url: `ws://edge.tunnel.localhost:${port}/_sluice/session`, region: 'eu' }
  const shut = { url: 'ws://edge.tunnel.localhost:1/_sluice/session', region: 'eu' }

  expect(await new Edges([shut, open]).take(signal)).toBe(open.url)

  await closed.promise
  server.close()
})
