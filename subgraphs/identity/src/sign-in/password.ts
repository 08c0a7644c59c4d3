import * as argon2 from '@node-rs/argon2'
import { SluiceError } from '@sluice/schema/errors'

/** OWASP's floor for argon2id: 19 MiB, two passes, one lane. About 100 ms of one core. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
/** More at once would only take memory and the thread pool from the rest. */
const hashesAtOnceMax = 2
/** Whoever would wait behind this many is told to come back: the queue is bounded, and so is the wait. */
const hashesWaitingMax = 64
const retryAfterSeconds = 3

export interface Passwords {
  hash(password: string): Promise<string>
  /** Does the same work for a user that does not exist (`null`), so that time tells nobody who has an account. */
  isRight(password: string, hash: string | null): Promise<boolean>
}

/** The two functions of argon2 that are used, so that a test can count them. */
export type Argon2 = Pick<typeof argon2, 'hash' | 'verify'>

export function createPasswords(engine: Argon2 = argon2): Passwords {
  const waiting: (() => void)[] = []
  let running = 0
  let nobodys: Promise<string> | null = null

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= hashesAtOnceMax) {
      if (waiting.length >= hashesWaitingMax) {
        throw new SluiceError('SLUICE_RATE_LIMITED', { retryAfterSeconds })
      }
      // Whoever ends hands its turn on, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else {
      running += 1
    }
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }

  return {
    hash: (password) => inTurn(() => engine.hash(password, cost)),
    async isRight(password, hash) {
      nobodys ??= engine.hash(crypto.randomUUID(), cost)
      const against = hash ?? (await nobodys)
      return inTurn(async () => (await engine.verify(against, password)) && hash !== null)
    },
  }
}
