import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

/** A service of its own process, to be killed and frozen: echoes, sends much, or waits. */
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost')
  if (url.pathname === '/large') {
    const bytes = Number(url.searchParams.get('bytes'))
    const piece = Buffer.alloc(65_536, 'x')
    let left = bytes
    response.setHeader('content-length', bytes)
    const pour = (): void => {
      while (left > 0) {
        const more = piece.subarray(0, Math.min(left, piece.length))
        left -= more.length
        if (!response.write(more)) {
          response.once('drain', pour)
          return
        }
      }
      response.end()
    }
    pour()
  } else if (url.pathname === '/begin') {
    // And never ends.
    response.setHeader('content-length', 1_000_000).write('begun')
  } else {
    const hash = createHash('sha256')
    request
      .on('data', (chunk: Buffer) => hash.update(chunk))
      .on('end', () => response.end(hash.digest('hex')))
  }
})
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address()
  // As text: a number would be coloured where colours are asked for.
  console.log(String(typeof address === 'object' && address ? address.port : 0))
})
process.on('SIGTERM', () => process.exit(0))
