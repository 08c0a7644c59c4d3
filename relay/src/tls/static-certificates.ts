import { readFile, readdir, stat } from 'node:fs/promises'
import { join, parse } from 'node:path'

import type { Log } from '@sluice/kit/log'

import { certificateFor, readCertificate, type ServedCertificate } from './certificate.ts'

/** Two files of PEM. */
export interface CertificateFiles {
  readonly certPath: string
  readonly keyPath: string
}

export interface StaticCertificatesOptions {
  /** The relay's own, for every name that no other certificate covers. */
  readonly own: CertificateFiles | ServedCertificate | undefined
  /** Holds more pairs: `NAME.crt` or `NAME.pem` with `NAME.key`, or folders with `tls.crt`/`tls.key` or `fullchain.pem`/`privkey.pem`. */
  readonly directory: string | undefined
  /** How often the files are looked at. Not watched: folders of secrets are replaced as a whole, some over a network. */
  readonly pollMs?: number | undefined
  readonly log: Log
}

export interface StaticCertificates {
  readonly own: ServedCertificate | undefined
  find(serverName: string): ServedCertificate | undefined
  /** Name of the file → certificate. */
  all(): ReadonlyMap<string, ServedCertificate>
  /** Reads again what has changed. What cannot be read is served as it was. */
  reload(): Promise<void>
  close(): void
}

/** The label of the relay's own certificate. */
const ownLabel = 'default'
const pairsMax = 1_000
const certificatePollMs = 10_000
const certExtensions = new Set(['.crt', '.pem', '.cert'])
const folderPairs = [
  ['fullchain.pem', 'privkey.pem'],
  ['tls.crt', 'tls.key'],
] as const

/** Serves certificates from files, and notices when they change. Fails when the relay's own cannot be read at the start. */
export async function openStaticCertificates(
  options: StaticCertificatesOptions,
): Promise<StaticCertificates> {
  const { directory, log } = options
  const files = options.own && 'certPath' in options.own ? options.own : undefined
  const given = options.own && 'cert' in options.own ? options.own : undefined
  const held = new Map<string, { mark: string; certificate: ServedCertificate }>()
  /** What was wrong with a pair, so that it is said once. */
  const complaints = new Map<string, string>()
  let certificates = new Map<string, ServedCertificate>()
  let byName = new Map<string, ServedCertificate>()
  let running: Promise<void> | undefined

  async function take(label: string, pair: CertificateFiles): Promise<void> {
    const mark = await markOf(pair)
    if (held.get(label)?.mark === mark) return
    const [cert, key] = await Promise.all([
      readFile(pair.certPath, 'utf8'),
      readFile(pair.keyPath, 'utf8'),
    ])
    const certificate = readCertificate({ cert, key })
    held.set(label, { mark, certificate })
    const expiresAt = new Date(certificate.expiresAtMs)
    log.info({ certificate: label, names: certificate.names, expiresAt }, 'certificate read')
  }

  async function look(): Promise<void> {
    const pairs = directory === undefined ? new Map() : await pairsOf(directory)
    if (files) pairs.set(ownLabel, files)
    for (const [label, pair] of pairs) {
      // A pair of which one half is written yet fails too: the next look finds both.
      await take(label, pair).then(
        () => complaints.delete(label),
        (error: unknown) => complain(label, error),
      )
    }
    for (const label of held.keys()) if (!pairs.has(label)) held.delete(label)
    index()
  }

  function complain(label: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    if (complaints.get(label) === reason) return
    complaints.set(label, reason)
    log.warn({ certificate: label, reason }, 'a certificate was not read')
  }

  function index(): void {
    certificates = new Map(Array.from(held, ([label, { certificate }]) => [label, certificate]))
    if (given) certificates.set(ownLabel, given)
    byName = new Map()
    for (const certificate of certificates.values()) {
      for (const name of certificate.names) {
        const other = byName.get(name)
        // Of two for one name the one that lasts longer: the other is about to be replaced.
        if (!other || other.expiresAtMs < certificate.expiresAtMs) byName.set(name, certificate)
      }
    }
  }

  function reload(): Promise<void> {
    running ??= look()
      .catch((error: unknown) => complain(String(directory), error))
      .finally(() => {
        running = undefined
      })
    return running
  }

  if (files) await take(ownLabel, files)
  await look()
  const watches = files !== undefined || directory !== undefined
  const timer = watches
    ? setInterval(() => void reload(), options.pollMs ?? certificatePollMs).unref()
    : undefined
  return {
    get own() {
      return certificates.get(ownLabel)
    },
    find: (serverName) => certificateFor(byName, serverName),
    all: () => certificates,
    reload,
    close: () => clearInterval(timer),
  }
}

/** Changes when one of the files does, or when a link leads to another. */
async function markOf({ certPath, keyPath }: CertificateFiles): Promise<string> {
  const marks = await Promise.all(
    [certPath, keyPath].map(async (path) => {
      const { ino, size, mtimeMs } = await stat(path)
      return `${ino}:${size}:${mtimeMs}`
    }),
  )
  return marks.join(' ')
}

async function pairsOf(directory: string): Promise<Map<string, CertificateFiles>> {
  const pairs = new Map<string, CertificateFiles>()
  const entries = (await readdir(directory)).filter((name) => !name.startsWith('.')).toSorted()
  const names = new Set(entries)
  for (const entry of entries) {
    if (pairs.size >= pairsMax) break
    const { name, ext } = parse(entry)
    if (certExtensions.has(ext) && names.has(`${name}.key`)) {
      const keyPath = join(directory, `${name}.key`)
      pairs.set(name, { certPath: join(directory, entry), keyPath })
    } else if (ext !== '.key') {
      const pair = await pairIn(join(directory, entry))
      if (pair) pairs.set(entry, pair)
    }
  }
  return pairs
}

async function pairIn(folder: string): Promise<CertificateFiles | undefined> {
  for (const [cert, key] of folderPairs) {
    const pair = { certPath: join(folder, cert), keyPath: join(folder, key) }
    // A plain file or an empty folder has no mark, and is not a pair.
    if (await markOf(pair).catch(() => undefined)) return pair
  }
  return undefined
}
