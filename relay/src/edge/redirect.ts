import { absoluteForm, type HeadScanner } from '@sluice/wire'

/** An authority that proves a name asks on port 80 and may not be led away; it is not given to the relay to answer. */
const challengePath = Buffer.from('/.well-known/acme-challenge/')

/** Whether a request is an authority's for a challenge (RFC 8555 §8.3). */
export function isChallenge(scanner: HeadScanner, buffer: Buffer): boolean {
  const { targetStart, targetEnd } = scanner
  const end = targetStart + challengePath.length
  return (
    end < targetEnd &&
    buffer.compare(challengePath, 0, challengePath.length, targetStart, end) === 0
  )
}

/** The same address over HTTPS. */
export function httpsAddress(
  scanner: HeadScanner,
  buffer: Buffer,
  { endpointHost, httpsPort }: { readonly endpointHost: string; readonly httpsPort: number },
): string {
  const target = buffer.toString('latin1', scanner.targetStart, scanner.targetEnd)
  const path = target.startsWith('/') ? target : (absoluteForm(scanner, buffer)?.path ?? '/')
  return `https://${endpointHost}${httpsPort === 443 ? '' : `:${httpsPort}`}${path}`
}

/** 308 keeps method and body, so a client may follow with whatever it meant to send. */
export function permanentRedirect(
  location: string,
  { keepAlive, minorVersion }: { readonly keepAlive: boolean; readonly minorVersion: number },
): Buffer {
  const lines = [
    'HTTP/1.1 308 Permanent Redirect',
    `Location: ${location}`,
    'Content-Length: 0',
    `Date: ${new Date().toUTCString()}`,
  ]
  if (!keepAlive) lines.push('Connection: close')
  else if (minorVersion === 0) lines.push('Connection: keep-alive')
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}
