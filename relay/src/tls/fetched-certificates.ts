import type { Log } from '@sluice/kit/log'
import { LRUCache } from 'lru-cache'

import type { ServedCertificate } from './certificate.ts'

/** What the control plane has for a custom domain. Throws while it is away. */
export type FetchCertificate = (
  domain: string,
  signal: AbortSignal,
) => Promise<ServedCertificate | undefined>

export interface FetchedCertificatesOptions {
  readonly fetch: FetchCertificate
  /** Whether a name is worth asking for: names of no tunnel are not, however many a visitor thinks up. */
  readonly isKnown: (domain: string) => Promise<boolean>
  readonly log: Log
  /** After this long an answer is asked for again, should an announcement have been lost. */
  readonly freshMs?: number
  readonly noneKeptMs?: number
  /** How long a handshake waits. */
  readonly waitMs?: number
}

export interface FetchedCertificates {
  /** At once from memory; else when it has been fetched. Undefined: there is none, or it cannot be known now. */
  find(domain: string): ServedCertificate | undefined | Promise<ServedCertificate | undefined>
  /** The certificate of a domain is another now, or none. */
  changed(domain: string): void
  close(): void
}

const domainsMax = 5_000
const nonesMax = 20_000
const fetchesMax = 8
const waitingMax = 200
const freshMs = 600_000
const noneKeptMs = 60_000
const waitMs = 3_000
const retryMs = 15_000

interface Held {
  readonly certificate: ServedCertificate
  /** When to ask again. */
  readonly askAtMs: number
}

/**
 * Certificates of custom domains, fetched when the first visitor names one. A visitor never waits for a certificate that
 * is held: it is asked for again behind its back, and served on while the control plane is away.
 */
export function openFetchedCertificates(options: FetchedCertificatesOptions): FetchedCertificates {
  const { log } = options
  const held = new LRUCache<string, Held>({ max: domainsMax })
  const none = new LRUCache<string, true>({ max: nonesMax, ttl: options.noneKeptMs ?? noneKeptMs })
  const underway = new Map<string, Promise<ServedCertificate | undefined>>()
  /** Domains that changed while they were being fetched: the answer may be from before. */
  const overtaken = new Set<string>()
  const waiting: (() => void)[] = []
  const closed = new AbortController()
  let fetches = 0
  let failing = false

  async function fetchOne(domain: string): Promise<ServedCertificate | undefined> {
    if (fetches >= fetchesMax) await new Promise<void>((resolve) => waiting.push(resolve))
    fetches += 1
    try {
      const certificate = await options.fetch(domain, closed.signal)
      failing = false
      keep(domain, certificate)
      return certificate
    } catch (error) {
      if (!failing && !closed.signal.aborted) {
        log.warn({ reason: String(error) }, 'certificates of domains cannot be fetched')
      }
      failing = true
      const before = held.peek(domain)?.certificate
      if (before) held.set(domain, { certificate: before, askAtMs: performance.now() + retryMs })
      return before
    } finally {
      fetches -= 1
      waiting.shift()?.()
    }
  }

  function keep(domain: string, certificate: ServedCertificate | undefined): void {
    if (certificate) {
      none.delete(domain)
      held.set(domain, { certificate, askAtMs: askAgainAtMs(certificate) })
    } else {
      held.delete(domain)
      none.set(domain, true)
    }
  }

  /** Sooner than usual for one that is about to expire: its successor is due. */
  function askAgainAtMs({ expiresAtMs }: ServedCertificate): number {
    const fresh = options.freshMs ?? freshMs
    const leftMs = expiresAtMs - Date.now()
    return performance.now() + Math.max(Math.min(fresh, leftMs / 2), Math.min(fresh, retryMs))
  }

  /** One fetch at a time per domain, however many ask. */
  function ask(domain: string): Promise<ServedCertificate | undefined> {
    const before = underway.get(domain)
    if (before) return before
    if (waiting.length >= waitingMax) return Promise.resolve(held.peek(domain)?.certificate)
    const asked = fetchOne(domain).finally(() => {
      underway.delete(domain)
      if (overtaken.delete(domain) && !closed.signal.aborted) void ask(domain)
    })
    underway.set(domain, asked)
    return asked
  }

  async function findUnknown(domain: string): Promise<ServedCertificate | undefined> {
    if (!(await options.isKnown(domain))) return undefined
    return inTime(ask(domain))
  }

  function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), options.waitMs ?? waitMs)
      void answer.then((value) => {
        clearTimeout(timer)
        resolve(value)
      })
    })
  }

  return {
    find(domain) {
      const found = held.get(domain)
      if (found) {
        if (performance.now() >= found.askAtMs) void ask(domain)
        return found.certificate
      }
      return none.has(domain) ? undefined : findUnknown(domain)
    },

    changed(domain) {
      none.delete(domain)
      if (underway.has(domain)) overtaken.add(domain)
      else if (held.has(domain)) void ask(domain)
    },

    close() {
      closed.abort()
      for (const resolve of waiting.splice(0)) resolve()
    },
  }
}
