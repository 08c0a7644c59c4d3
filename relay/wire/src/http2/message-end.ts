import type { Http2Stream } from 'node:http2'

/**
 * Whether what is read from a stream has ended by the peer's END_STREAM. node:http2 ends it in the same way when the peer
 * resets the stream without an error, and a message cut off must not pass for a whole one. Ask on `end`.
 */
export function watchMessageEnd(stream: Http2Stream): () => boolean {
  let whole = stream.readableEnded || stream.endAfterHeaders
  const push = stream.push.bind(stream)
  stream.push = (chunk, encoding) => {
    // A reset marks the stream as closed before it ends the reading.
    if (chunk === null && !stream.closed && !stream.destroyed) whole = true
    return push(chunk, encoding)
  }
  return () => whole
}
