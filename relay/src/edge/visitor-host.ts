import { endpointHostOf, type HeadScanner } from '@sluice/wire'

import type { TlsVisit } from '../tls/tls-visit.ts'

const none: Buffer = Buffer.alloc(0)

/** The Host that a visitor asks for, and what the relay says of it. Most requests of a connection have the same, which is read once. */
export class VisitorHost {
  readonly #visitorIp: string
  readonly #proto: 'http' | 'https'
  /** What the handshake has proved of the visitor, as fields. */
  readonly #certificate: string
  #bytes: Buffer = none
  endpointHost = ''
  /** The relay's own forwarding fields and the empty line. */
  forwarded: Buffer = none

  constructor(visitorIp: string, tls: TlsVisit | undefined) {
    this.#visitorIp = visitorIp
    this.#proto = tls ? 'https' : 'http'
    const { subject, fingerprint } = tls?.certificate ?? {}
    this.#certificate =
      fingerprint === undefined
        ? ''
        : `Sluice-Visitor-Subject: ${subject}\r\nSluice-Visitor-Fingerprint: ${fingerprint}\r\n`
  }

  /** Takes in the Host value, or says what is wrong with it. */
  read(scanner: HeadScanner, buffer: Buffer): string | undefined {
    const start = scanner.valueStart[scanner.hostIndex] as number
    const end = scanner.valueEnd[scanner.hostIndex] as number
    const same = this.#bytes.length === end - start && this.#bytes.length > 0
    if (same && buffer.compare(this.#bytes, 0, this.#bytes.length, start, end) === 0) {
      return undefined
    }
    const hostHeader = buffer.toString('latin1', start, end)
    const endpointHost = endpointHostOf(hostHeader)
    if (endpointHost === undefined) return 'the Host header is not a host'
    this.#bytes = Buffer.from(hostHeader, 'latin1')
    this.endpointHost = endpointHost
    this.forwarded = Buffer.from(
      `X-Forwarded-For: ${this.#visitorIp}\r\nX-Forwarded-Proto: ${this.#proto}\r\nX-Forwarded-Host: ${hostHeader}\r\n${this.#certificate}\r\n`,
      'latin1',
    )
    return undefined
  }
}
