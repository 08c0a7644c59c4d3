import { fork } from 'node:child_process'

import type { FleetOrder } from './fleet-driver.ts'
import { keep, stop } from './process.ts'

export interface Fleet {
  order(order: FleetOrder): Promise<number>
}

/** Agents and visitors by the thousand, in a process of their own. */
export function startFleet(closing: AsyncDisposableStack): Fleet {
  const child = fork(new URL('fleet-driver.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  keep(child)
  closing.defer(() => stop(child))
  return {
    order(order) {
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      child.once('message', (answer: { value?: number; error?: string }) => {
        if (answer.value === undefined) reject(new Error(answer.error))
        else resolve(answer.value)
      })
      child.once('exit', () => reject(new Error('the fleet is gone')))
      child.send(order)
      return promise
    },
  }
}
