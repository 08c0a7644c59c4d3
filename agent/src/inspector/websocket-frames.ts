import type { KeptBody } from './exchange-store.ts'

/** One frame of a WebSocket as the page shows it. */
export interface ShownFrame {
  readonly from: 'visitor' | 'service'
  readonly atMs: number
  readonly kind: string
  readonly bytes: number
  /** The text of a text frame, or the beginning of it. */
  readonly text: string | null
}

const framesMax = 500
const textBytesMax = 2_048
const kinds: Readonly<Record<number, string>> = {
  0: 'continued',
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
}

/** The frames of both directions in the order of their arrival, as far as their bytes were kept. */
export function framesOf(fromVisitor: KeptBody, fromService: KeptBody): ShownFrame[] {
  const frames = [...read('visitor', fromVisitor), ...read('service', fromService)]
  return frames.toSorted((a, b) => a.atMs - b.atMs).slice(0, framesMax)
}

function read(from: ShownFrame['from'], { pieces }: KeptBody): ShownFrame[] {
  const all = Buffer.concat(pieces.map(({ bytes }) => bytes))
  const frames: ShownFrame[] = []
  let at = 0
  while (frames.length < framesMax) {
    const frame = frameAt(all, at)
    if (!frame) break
    const atMs = momentOf(pieces, at)
    frames.push({ from, atMs, kind: frame.kind, bytes: frame.bytes, text: frame.text })
    at = frame.end
  }
  return frames
}

/** One frame of RFC 6455; undefined when not all of it is there. Its extensions are shown as binary. */
function frameAt(bytes: Buffer, start: number) {
  if (start + 2 > bytes.length) return undefined
  const first = bytes[start] ?? 0
  const second = bytes[start + 1] ?? 0
  let at = start + 2
  let length = second & 127
  if (length === 126) {
    if (at + 2 > bytes.length) return undefined
    length = bytes.readUInt16BE(at)
    at += 2
  } else if (length === 127) {
    if (at + 8 > bytes.length) return undefined
    length = Number(bytes.readBigUInt64BE(at))
    at += 8
  }
  const mask = second >= 128 ? bytes.subarray(at, at + 4) : undefined
  if (mask) at += 4
  if (at + length > bytes.length) return undefined
  const isPlain = (first & 0x70) === 0
  const opcode = first & 15
  const payload = Buffer.from(bytes.subarray(at, at + Math.min(length, textBytesMax)))
  if (mask) {
    for (const [index, byte] of payload.entries()) payload[index] = byte ^ (mask[index & 3] ?? 0)
  }
  const kind = isPlain ? (kinds[opcode] ?? 'unknown') : `${kinds[opcode] ?? 'unknown'}, compressed`
  const hasText = isPlain && (opcode === 1 || opcode === 0)
  return { kind, bytes: length, text: hasText ? payload.toString('utf8') : null, end: at + length }
}

/** When the piece arrived that holds this byte. */
function momentOf(pieces: KeptBody['pieces'], offset: number): number {
  let passed = 0
  for (const { atMs, bytes } of pieces) {
    passed += bytes.length
    if (offset < passed) return atMs
  }
  return 0
}
