const requestStart = 'GET /.well-known/sluice-verify/'

/** The agent's own answer to the check that a byte made the way through the public edge and back. */
export function roundTripAnswer(
  nonces: ReadonlySet<string>,
  payload: Buffer,
  headStart: number,
): Buffer | undefined {
  const start = payload.toString('latin1', headStart, headStart + requestStart.length)
  if (start !== requestStart) return undefined
  const lineEnd = payload.indexOf(' HTTP/', headStart)
  const nonce = payload.toString('latin1', headStart + requestStart.length, lineEnd)
  if (!nonces.has(nonce)) return undefined
  return Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(nonce)}\r\n\r\n${nonce}`,
  )
}
