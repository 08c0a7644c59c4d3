import type { Dice } from './dice.ts'

/** Only methods that Node knows: any other token is one too, and passes here. */
export const methods = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND']
const targets = [
  '/',
  '/a?b=c',
  '//a/../b%2f',
  '*',
  'http://a/x',
  'http://b/x',
  '/a b',
  '/\u00e9',
  '/a#b',
  '',
]
const versions = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'http/1.1',
]
const fields = [
  'Host: b',
  'Host:',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: keep-alive, x-a',
  'X-A: b\tc',
  'X-A:\t b \t',
  'X-A: \u00ff',
  'X-A: ',
  'X-A : b',
  ' X-A: b',
  'X A: b',
  ': b',
  'X-A',
  'X-A: b\u0000',
  'X-A: b\rc',
  '__proto__: x',
  'Expect: 100-continue',
  'TE: trailers',
  'Trailer: x-t',
  'Content-Length: 3',
  'Content-Length: +3',
  'Content-Length: 3, 3',
  'Content-Length: 0x3',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding:\tchunked ',
  'Transfer-Encoding: \u000bchunked',
  'transfer-encoding: CHUNKED',
  'Transfer-Encoding: chunked\t',
  'Transfer-Encoding: chunked \t ',
  'Content-Length: 3\t',
  'Content-Length: \t3 ',
]
const chunkLines = [
  '3\r\nabc\r\n',
  '03\r\nabc\r\n',
  '0000000000003\r\nabc\r\n',
  'A\r\n0123456789\r\n',
  '3;x=y\r\nabc\r\n',
  '3;x="a;b"\r\nabc\r\n',
  '3 \r\nabc\r\n',
  '3;\r\nabc\r\n',
  '3; x\r\nabc\r\n',
  ' 3\r\nabc\r\n',
  '+3\r\nabc\r\n',
  '-3\r\nabc\r\n',
  '0x3\r\nabc\r\n',
  '3\nabc\r\n',
  '3\r\nabc\n',
  '3\r\nabcd\r\n',
  '3\r\nab\r\n',
  '3;a\nb\r\nabc\r\n',
  'fffffffffffffffff\r\nabc\r\n',
]
const lastChunks = [
  '0\r\n\r\n',
  '000\r\n\r\n',
  '0;x\r\n\r\n',
  '0\r\nX-T: v\r\n\r\n',
  '0\r\nX-T: v\r\nX-T: w\r\n\r\n',
  '0\r\nHost: b\r\n\r\n',
  '0\r\nContent-Length: 1\r\n\r\n',
  '0\r\n X-T: v\r\n\r\n',
  '0\r\nX-T : v\r\n\r\n',
  '0\r\n\n',
  '0\n\r\n',
  '',
]
/** What a mutation puts in: bytes that somewhere mean something. */
const dictionary = [
  '\r',
  '\n',
  '\r\n',
  '\u0000',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '0',
  '1',
  '\u000b',
  '\u0085',
  '\u00a0',
  '_',
  '-',
  '"',
  'chunked',
  'Host: a\r\n',
]

/** A run of requests, mostly well formed, with tricks that servers have been known to disagree about. */
export function requests(dice: Dice): Buffer {
  const count = 1 + dice.below(3)
  const text = Array.from({ length: count }, () => request(dice)).join('')
  return mutated(dice, text)
}

function request(dice: Dice): string {
  const start = `${dice.pick(methods)} ${dice.chance(0.8) ? '/' : dice.pick(targets)} ${dice.pick(versions)}`
  const lines = dice.chance(0.95) ? ['Host: a', ...extras(dice)] : extras(dice)
  return message(dice, start, lines)
}

const statusLines = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200',
  'HTTP/1.1 200 ',
  'HTTP/1.0 200 OK',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 103 Early Hints',
  'HTTP/1.1 999 What',
  'HTTP/1.1 099 What',
  'HTTP/1.1 20 OK',
  'HTTP/1.1  200 OK',
  'HTTP/2.0 200 OK',
  'HTTP/1.1 200 \u00e9',
]

/** What an upstream may answer. */
export function response(dice: Dice): Buffer {
  const hints = dice.chance(0.2) ? 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' : ''
  const start = dice.chance(0.6) ? 'HTTP/1.1 200 OK' : dice.pick(statusLines)
  return mutated(dice, hints + message(dice, start, extras(dice)))
}

function extras(dice: Dice): string[] {
  return dice.several(fields, dice.chance(0.5) ? 1 : 3)
}

function message(dice: Dice, start: string, lines: string[]): string {
  let body = ''
  const kind = dice.below(4)
  if (kind === 1) {
    body = 'abc'.slice(0, dice.below(4))
    lines.push(`Content-Length: ${dice.chance(0.9) ? body.length : dice.below(5)}`)
  } else if (kind >= 2) {
    lines.push('Transfer-Encoding: chunked')
    body = chunks(dice)
  }
  return `${[start, ...lines].join('\r\n')}\r\n\r\n${body}`
}

function chunks(dice: Dice): string {
  const good = dice.chance(0.7)
  const lines = good ? dice.several(chunkLines.slice(0, 6), 3) : dice.several(chunkLines, 3)
  return lines.join('') + (dice.chance(0.7) ? '0\r\n\r\n' : dice.pick(lastChunks))
}

function mutated(dice: Dice, text: string): Buffer {
  let bytes = text
  for (let count = dice.chance(0.6) ? 0 : 1 + dice.below(3); count > 0; count -= 1) {
    const at = dice.below(bytes.length + 1)
    const cut = dice.chance(0.5) ? dice.below(3) : 0
    const put = dice.chance(0.8) ? dice.pick(dictionary) : String.fromCharCode(dice.below(256))
    bytes = bytes.slice(0, at) + put + bytes.slice(at + cut)
  }
  return Buffer.from(bytes, 'latin1')
}
