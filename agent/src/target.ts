import { SluiceError } from '@sluice/schema/errors'
import type { UpstreamProtocol } from '@sluice/wire'

/** The developer's service that an agent forwards to. */
export interface Upstream {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** Absent: HTTP/1.1. */
  readonly protocol?: UpstreamProtocol
}

/** What a scheme says of the service behind it. */
const schemes: Readonly<Record<string, Pick<Upstream, 'tls' | 'protocol'>>> = {
  'http:': { tls: false },
  'https:': { tls: true },
  'h2c:': { tls: false, protocol: 'http2' },
  'h2:': { tls: true, protocol: 'http2' },
}

const noPath = 'a path cannot be forwarded to, only a host and port'

const hostForm = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]{0,252}))$/i

/** Reads `3000`, `:3000`, `host:3000`, `[::1]:3000`, `http://host:3000`, `https://host`, `h2c://host:3000`, `h2://host`. */
export function parseTarget(text: string, protocol?: UpstreamProtocol): Upstream {
  const upstream = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? fromUrl(text) : fromHostAndPort(text)
  if (!Number.isInteger(upstream.port) || upstream.port < 1 || upstream.port > 65_535) {
    throw refuse(text, 'a port is a number from 1 to 65535')
  }
  if (!hostForm.test(upstream.host)) throw refuse(text, 'the host is not a name or an address')
  const host = upstream.host.replaceAll(/^\[|\]$/g, '')
  return { ...upstream, host, ...(protocol === undefined ? {} : { protocol }) }
}

/** Whether a word on the command line can only be a target, so that `sluice 3000` needs no command. */
export function looksLikeTarget(word: string): boolean {
  return (
    /^:?\d+$/.test(word) || /^(?:https?|h2c?):\/\//i.test(word) || /^[^\s/-][^\s/]*:\d+$/.test(word)
  )
}

/** A port, or a host and port: bytes have no scheme. */
export function parsePortTarget(command: string, text: string): Upstream {
  if (text.includes('://')) {
    const reason = `The target ${text} is not valid: it is a port, or host:port.`
    throw new SluiceError('SLUICE_USAGE', { reason, command })
  }
  return parseTarget(text)
}

/** The target of bytes as a person would write it. */
export function addressText({ host, port }: Upstream): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The target as a person would write it. */
export function targetText({ host, port, tls, protocol }: Upstream): string {
  const scheme = protocol === 'http2' ? (tls ? 'h2' : 'h2c') : tls ? 'https' : 'http'
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function fromHostAndPort(text: string): Upstream {
  const colon = text.lastIndexOf(':')
  const host = colon < 1 ? 'localhost' : text.slice(0, colon)
  const port = text.slice(colon + 1)
  if (/^\d{1,5}[/?#]/.test(port)) throw refuse(text, noPath)
  if (!/^\d{1,5}$/.test(port)) throw refuse(text, 'it has no port')
  return { host, port: Number(port), tls: false }
}

function fromUrl(text: string): Upstream {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null) throw refuse(text, 'it is not a URL')
  const scheme = schemes[url.protocol]
  if (!scheme) throw refuse(text, 'only http://, https://, h2c:// and h2:// are forwarded')
  if (url.username !== '' || url.password !== '') throw refuse(text, 'it holds a password')
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
    throw refuse(text, noPath)
  }
  const port = url.port === '' ? (scheme.tls ? 443 : 80) : Number(url.port)
  return { host: url.hostname, port, ...scheme }
}

/** The text is not repeated when it may hold a password. */
function refuse(text: string, reason: string): SluiceError {
  const shown = text.includes('@') ? 'The target' : `The target ${text}`
  return new SluiceError('SLUICE_USAGE', {
    reason: `${shown} is not valid: ${reason}.`,
    command: 'http',
  })
}
