import { Redis } from 'ioredis'

import type { Log } from './log.ts'

const commandTimeoutMs = 2_000
const reconnectMsMax = 2_000

/**
 * A Redis connection for commands. While Redis is away a command fails within `commandTimeoutMs` instead of waiting:
 * nothing in Redis is the only copy, so the caller goes on without.
 */
export function openRedis(
  url: string,
  log: Log,
  options: { blocking?: boolean; subscriber?: boolean } = {},
): Redis {
  const redis = new Redis(url, {
    // The check is a command, and a connection that has subscribed meanwhile may send none: Redis would cut it.
    enableReadyCheck: !options.subscriber,
    maxRetriesPerRequest: options.blocking ? null : 1,
    enableOfflineQueue: options.blocking ?? false,
    ...(options.blocking ? {} : { commandTimeout: commandTimeoutMs }),
    retryStrategy: (times) =>
      Math.min(50 * 2 ** Math.min(times, 6), reconnectMsMax) * (0.5 + Math.random() / 2),
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  })
  // Disconnected between two attempts to connect, ioredis forgets the commands that wait: they would wait for ever.
  const disconnect = redis.disconnect.bind(redis)
  redis.disconnect = (reconnect) => {
    const isBetweenAttempts = redis.status === 'reconnecting'
    disconnect(reconnect)
    if (isBetweenAttempts && !reconnect) redis['flushQueue'](new Error('Connection is closed.'))
  }
  let away = false
  redis.on('error', (error: Error) => {
    if (!away) log.warn({ reason: error.message }, 'redis is away')
    away = true
  })
  redis.on('ready', () => {
    if (away) log.info('redis is back')
    away = false
  })
  return redis
}

/** Waits until the connection is usable; commands fail before that. Rejects after `timeoutMs`. */
export async function redisReady(redis: Redis, timeoutMs = 5_000): Promise<void> {
  if (redis.status === 'ready') return
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      redis.off('ready', ready)
      reject(new Error('redis did not answer in time'))
    }, timeoutMs)
    const ready = () => {
      clearTimeout(timer)
      resolve()
    }
    redis.once('ready', ready)
  })
}

/** Shares one subscriber connection among all listeners of a process; a channel is left with its last listener. */
export interface ChannelHub {
  /** Returns once Redis confirmed. Call the result to leave. */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => void>
  close(): Promise<void>
}

export function openChannelHub(
  url: string,
  log: Log,
  /** Connected, or connected again: messages from before are lost. */
  { onReady = () => undefined }: { onReady?: () => void } = {},
): ChannelHub {
  // Subscriptions wait for Redis and are renewed by ioredis after a reconnect.
  const redis = openRedis(url, log, { blocking: true, subscriber: true })
  const listeners = new Map<string, Set<(message: string) => void>>()
  redis.on('ready', onReady)
  redis.on('message', (channel: string, message: string) => {
    for (const listener of listeners.get(channel) ?? []) listener(message)
  })
  return {
    async subscribe(channel, listener) {
      const set = listeners.get(channel) ?? new Set()
      set.add(listener)
      listeners.set(channel, set)
      const leave = () => {
        set.delete(listener)
        if (set.size > 0 || listeners.get(channel) !== set) return
        listeners.delete(channel)
        // While Redis is away there is nothing to leave.
        redis.unsubscribe(channel).catch(() => undefined)
      }
      try {
        // Also for the second listener of a channel: the first one's request may still be on its way.
        await redis.subscribe(channel)
      } catch (error) {
        leave()
        throw error
      }
      return leave
    },
    async close() {
      listeners.clear()
      redis.disconnect()
    },
  }
}
