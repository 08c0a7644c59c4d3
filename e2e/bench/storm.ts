import { get } from 'node:http'

import { unusedPort } from '@sluice/kit/unused-port'

import type { Benchmark, Figures } from './figures.ts'
import { startFleet } from './fleet.ts'
import { startKeys } from './keys.ts'
import { apex, startRelay } from './tunnel.ts'

/** A relay dies with all its agents, and starts again: how long until the last of them serves. */
export const stormBenchmark: Benchmark = {
  run: benchStorm,
  aims: { 'storm.seconds': 'at most 10' },
}

async function benchStorm({ quick }: { quick: boolean }): Promise<Figures> {
  await using closing = new AsyncDisposableStack()
  const agents = quick ? 200 : 2_000
  const keys = startKeys(closing)
  const options = { jwksUrl: await keys.url, port: await unusedPort() }
  const relay = await startRelay(closing, options)
  const fleet = startFleet(closing)
  const hosts = Array.from({ length: agents }, (_, index) => `t${index}.${apex}`)
  const tokens = hosts.map((host) => keys.token(host))
  await fleet.order({ kind: 'agents', port: relay.port, edgeHost: `edge.${apex}`, tokens })

  process.kill(relay.pid, 'SIGKILL')
  const killedMs = performance.now()
  await startRelay(closing, options)
  const startedMs = performance.now()
  await fleet.order({ kind: 'online' })
  await Promise.all(
    hosts.filter((_, index) => index % 20 === 0).map((host) => served(relay.port, host)),
  )
  const endMs = performance.now()
  return {
    'storm.agents': agents,
    'storm.restart_seconds': (startedMs - killedMs) / 1_000,
    'storm.seconds': (endMs - startedMs) / 1_000,
    'storm.outage_seconds': (endMs - killedMs) / 1_000,
  }
}

async function served(port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const request = get({ port, host: '127.0.0.1', headers: { host } }, (response) => {
    response.resume()
    if (response.statusCode === 200) resolve()
    else reject(new Error(`${host} answered ${response.statusCode}`))
  })
  request.on('error', reject)
  await promise
}
