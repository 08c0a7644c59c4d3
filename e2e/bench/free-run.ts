import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below the ports that the kernel gives to connections: nobody has one by chance when it is used again. */
const [firstPort, lastPort] = [10_000, 30_000]
const triesMax = 200

/** The first of so many free ports in a row. */
export async function freeRun(count: number): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const first = randomInt(firstPort, lastPort - count)
    const ports = Array.from({ length: count }, (_, index) => first + index)
    const free = await Promise.all(ports.map(isFree))
    if (free.every(Boolean)) return first
  }
  throw new Error('no free ports')
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', () => resolve(false))
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  return promise
}
