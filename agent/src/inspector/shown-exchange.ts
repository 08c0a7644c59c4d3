import { brotliDecompressSync, constants, gunzipSync, inflateSync } from 'node:zlib'

import type { Exchange, KeptBody } from './exchange-store.ts'
import { fieldOf, parseHead, requestLineOf, statusOf, type Head } from './http-head.ts'
import { framesOf, type ShownFrame } from './websocket-frames.ts'

/** A small body may stand for gigabytes: decoding ends here. */
const decodedBytesMax = 1024 * 1024

/** A row of the list. */
export interface ExchangeSummary {
  readonly id: string
  readonly tunnel: string
  readonly method: string
  readonly path: string
  /** Null while there is no response. */
  readonly status: number | null
  readonly code: string | null
  readonly isCut: boolean
  readonly startedAt: string
  readonly durationMs: number | null
  readonly requestBytes: number
  readonly responseBytes: number
  readonly replayOf: string | null
}

interface ShownBody {
  readonly totalBytes: number
  readonly keptBytes: number
  /** Null when it is not text. */
  readonly text: string | null
  /** The content coding that was taken off for reading. */
  readonly decoded: string | null
}

/** All that is known of an exchange. */
export interface ExchangeDetail extends ExchangeSummary {
  readonly visitor: string
  readonly requestHead: Head
  readonly requestBody: ShownBody
  /** Interim heads before the final one. */
  readonly responseHeads: readonly Head[]
  readonly responseBody: ShownBody
  /** Of a WebSocket, in place of bodies. */
  readonly frames: readonly ShownFrame[] | null
}

export function summaryOf(exchange: Exchange): ExchangeSummary {
  const { id, tunnel, code, isCut, startedAt, durationMs, replayOf } = exchange
  const last = exchange.responseHeads.at(-1)
  return {
    id,
    tunnel,
    ...requestLineOf(parseHead(exchange.requestHead)),
    status: last === undefined ? null : statusOf(parseHead(last)),
    code,
    isCut,
    startedAt: startedAt.toISOString(),
    durationMs,
    requestBytes: exchange.requestBody.totalBytes,
    responseBytes: exchange.responseBody.totalBytes,
    replayOf,
  }
}

export function detailOf(exchange: Exchange): ExchangeDetail {
  const requestHead = parseHead(exchange.requestHead)
  const responseHeads = exchange.responseHeads.map(parseHead)
  const last = responseHeads.at(-1)
  const isUpgraded = last !== undefined && statusOf(last) === 101
  return {
    ...summaryOf(exchange),
    visitor: exchange.visitor,
    requestHead,
    requestBody: shownBody(requestHead, exchange.requestBody),
    responseHeads,
    responseBody: shownBody(last, exchange.responseBody),
    frames: isUpgraded ? framesOf(exchange.requestBody, exchange.responseBody) : null,
  }
}

function shownBody(head: Head | undefined, { pieces, totalBytes, keptBytes }: KeptBody): ShownBody {
  const bytes = Buffer.concat(pieces.map((piece) => piece.bytes))
  const coding = head && fieldOf(head, 'content-encoding')?.toLowerCase()
  const plain = coding === undefined ? null : decode(coding, bytes)
  const shown = plain ?? bytes
  return {
    totalBytes,
    keptBytes,
    text: isText(shown) ? shown.toString('utf8') : null,
    decoded: plain && coding !== undefined ? coding : null,
  }
}

/** As much as can be decoded of what was kept; null when the coding is not known or the bytes are not of it. */
function decode(coding: string, bytes: Buffer): Buffer | null {
  const limit = { maxOutputLength: decodedBytesMax }
  // The end may be missing: what is there is worth reading.
  const lenient = { ...limit, finishFlush: constants.Z_SYNC_FLUSH }
  try {
    if (coding === 'gzip' || coding === 'x-gzip') return gunzipSync(bytes, lenient)
    if (coding === 'deflate') return inflateSync(bytes, lenient)
    if (coding === 'br') {
      return brotliDecompressSync(bytes, {
        ...limit,
        finishFlush: constants.BROTLI_OPERATION_FLUSH,
      })
    }
  } catch {
    // Wrongly labelled, cut in the wrong place or too large: the page shows the bytes as they are.
  }
  return null
}

/** Text as far as a page can show it: UTF-8 without control characters but those of layout. */
function isText(bytes: Buffer): boolean {
  if (bytes.some((byte) => byte < 9 || (byte > 13 && byte < 32))) return false
  // A cut in the middle of a character leaves one that is not whole.
  return bytes.toString('utf8').split('\uFFFD').length <= 2
}
