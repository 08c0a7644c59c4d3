import { randomBytes } from 'node:crypto'

/** A request of a stream in the words of HTTP/1.1. */
export interface RequestText {
  readonly head: Buffer
  /** The body is to be sent in chunks: nobody said how long it is. */
  readonly chunked: boolean
  readonly toHead: boolean
  /** The key of a WebSocket handshake (RFC 8441), which HTTP/2 has no need of; else ''. */
  readonly webSocketKey: string
}

/** Would end a line of HTTP/1.1. node:http2 lets none of them through; this is where it would matter. */
const lineEnd = /[\r\n\0]/

/** A trailer section in HTTP/1.1. What may not stand in one is refused where it is read. */
export function trailerText(rawHeaders: readonly string[]): string {
  let text = ''
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const line = `${rawHeaders[index]}: ${rawHeaders[index + 1]}`
    if (!lineEnd.test(line)) text += `${line}\r\n`
  }
  return text
}

/**
 * Puts a request into HTTP/1.1, so that one strict scanner reads what both protocols bring. What HTTP/2 says in another way
 * (RFC 9113 §8.3, RFC 8441) is translated; all else is left to the scanner to refuse. Undefined: not a request.
 */
export function requestText(
  rawHeaders: readonly string[],
  ended: boolean,
): RequestText | undefined {
  let method = ''
  let path = ''
  let authority = ''
  let protocol = ''
  let cookies = ''
  let hosts = ''
  let fields = ''
  let hasLength = false
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const value = rawHeaders[index + 1] as string
    if (lineEnd.test(value) || lineEnd.test(name)) return undefined
    switch (name) {
      case ':method':
        method = value
        break
      case ':path':
        path = value
        break
      case ':authority':
        authority = value
        break
      case ':protocol':
        protocol = value
        break
      case ':scheme':
        break
      case 'host':
        hosts += `Host: ${value}\r\n`
        break
      case 'cookie':
        cookies = cookies === '' ? value : `${cookies}; ${value}`
        break
      case 'sec-websocket-key':
        if (protocol === '') fields += `${name}: ${value}\r\n`
        break
      default:
        if (name === 'content-length') hasLength = true
        fields += `${name}: ${value}\r\n`
    }
  }
  const upgrade = method === 'CONNECT' && protocol !== ''
  const chunked = !ended && !hasLength && !upgrade
  const webSocketKey = upgrade ? randomBytes(16).toString('base64') : ''
  const ownHost = authority === '' ? '' : `Host: ${authority}\r\n`
  const head =
    `${upgrade ? 'GET' : method} ${path === '' ? authority : path} HTTP/1.1\r\n` +
    // A Host that says the same is one too many; one that differs makes two, and the scanner says no.
    `${ownHost}${hosts.toLowerCase() === ownHost.toLowerCase() ? '' : hosts}${fields}` +
    (cookies === '' ? '' : `cookie: ${cookies}\r\n`) +
    (chunked ? 'Transfer-Encoding: chunked\r\n' : '') +
    (upgrade
      ? `Connection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Key: ${webSocketKey}\r\n`
      : '') +
    '\r\n'
  return { head: Buffer.from(head, 'latin1'), chunked, toHead: method === 'HEAD', webSocketKey }
}
