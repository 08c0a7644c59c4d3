import type { IncomingMessage } from 'node:http'

import type { SluiceError } from '@sluice/schema/errors'

/** The whole body. Throws what `refusal` says, and reads no further, when it is longer than `bytesMax`. */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  refusal: (bytesMax: number) => SluiceError,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > bytesMax) {
      request.pause()
      reject(refusal(bytesMax))
    } else chunks.push(chunk)
  })
  request.once('end', () => resolve(Buffer.concat(chunks, bytes)))
  request.once('error', reject)
  return promise
}
