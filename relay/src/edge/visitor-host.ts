import { endpointHostOf, field, type HeadScanner } from '@sluice/wire'

import type { TlsVisit } from '../tls/tls-visit.ts'

const none: Buffer = Buffer.alloc(0)

/** The field in which a relay tells another one who the visitor is. No visitor can send it: its name is the relays' own. */
const peerField = 'sluice-peer'

/** Who asks, and for which Host; and what the relay says of both. Most requests of a connection have the same, which is read once. */
export class VisitorHost {
  visitorIp: string
  /** What the handshake has told, here or at another relay; undefined without TLS. */
  tls: TlsVisit | undefined
  /** The connection is another relay's: each request names its visitor, and none is sent on again. */
  readonly fromPeer: boolean
  /** The epoch that the other relay looks for. */
  peerEpoch = 0
  #bytes: Buffer = none
  #peerBytes = ''
  endpointHost = ''
  /** The relay's own forwarding fields and the empty line. */
  forwarded: Buffer = none

  constructor(visitorIp: string, tls: TlsVisit | undefined, fromPeer: boolean) {
    this.visitorIp = visitorIp
    this.tls = tls
    this.fromPeer = fromPeer
  }

  /** Takes in the Host value, or says what is wrong with it. */
  read(scanner: HeadScanner, buffer: Buffer): string | undefined {
    if (this.fromPeer && !this.#readPeer(scanner, buffer)) return 'no word of the visitor'
    const start = scanner.valueStart[scanner.hostIndex] as number
    const end = scanner.valueEnd[scanner.hostIndex] as number
    if (this.#isSame(buffer, start, end)) return undefined
    const hostHeader = buffer.toString('latin1', start, end)
    const endpointHost = endpointHostOf(hostHeader)
    if (endpointHost === undefined) return 'the Host header is not a host'
    this.#bytes = Buffer.from(hostHeader, 'latin1')
    this.endpointHost = endpointHost
    const proto = this.tls ? 'https' : 'http'
    this.forwarded = Buffer.from(
      `X-Forwarded-For: ${this.visitorIp}\r\nX-Forwarded-Proto: ${proto}\r\nX-Forwarded-Host: ${hostHeader}\r\n${this.#certificateFields()}\r\n`,
      'latin1',
    )
    return undefined
  }

  #isSame(buffer: Buffer, start: number, end: number): boolean {
    const before = this.#bytes
    if (before.length === 0 || before.length !== end - start) return false
    for (let at = 0; at < before.length; at += 1) {
      if (before[at] !== buffer[start + at]) return false
    }
    return true
  }

  /** What the relay that holds the tunnel is told instead, and the empty line. */
  toPeer(epoch: number): Buffer {
    const scheme = this.tls ? 'https' : 'http'
    const words = `${epoch} ${scheme} ${this.visitorIp || '-'} ${this.tls?.serverName ?? '-'}`
    return Buffer.from(`${peerField}: ${words}\r\n\r\n`, 'latin1')
  }

  /** What the visitor has proved to be. */
  #certificateFields(): string {
    const certificate = this.tls?.certificate
    if (!certificate) return ''
    const { subject, fingerprint } = certificate
    return `Sluice-Visitor-Subject: ${subject}\r\nSluice-Visitor-Fingerprint: ${fingerprint}\r\n`
  }

  #readPeer(scanner: HeadScanner, buffer: Buffer): boolean {
    for (let index = scanner.count - 1; index >= 0; index -= 1) {
      if (scanner.kind[index] !== field.reserved) continue
      if (scanner.nameOf(buffer, index).toLowerCase() !== peerField) continue
      const value = scanner.valueOf(buffer, index)
      if (value === this.#peerBytes) return true
      const words = /^(\d{1,15}) (https?) ([0-9a-fA-F:.]{2,64}|-) (\S{1,253})$/.exec(value)
      if (!words) return false
      const [, epoch, scheme, visitorIp = '', serverName = ''] = words
      this.#peerBytes = value
      this.#bytes = none
      this.peerEpoch = Number(epoch)
      // No certificate: the other relay could not know that one is to be asked for.
      this.tls =
        scheme === 'https'
          ? { serverName: serverName === '-' ? undefined : serverName, certificate: undefined }
          : undefined
      this.visitorIp = visitorIp === '-' ? '' : visitorIp
      return true
    }
    return false
  }
}
