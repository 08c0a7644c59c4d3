import { connect, createServer, type AddressInfo } from 'node:net'

/** Stands before PostgreSQL and notes what is asked, whoever asks: no part has to tell of itself. */
export interface StatementLog extends AsyncDisposable {
  /** The address of the database through it. */
  readonly url: string
  /** Statements of requests since the last call; what parts ask by themselves now and then is left out. */
  take(): string[]
}

/** Asked by loops in the background, or around every transaction. */
const byItself =
  /outbox_event|inbox_|audit_unsealed|audit_link|audit_stream|audit_signed_head|endpoint_host as host|^(begin|commit|rollback|set |select 1$)/i

export async function openStatementLog(databaseUrl: string): Promise<StatementLog> {
  const target = new URL(databaseUrl)
  const statements: string[] = []
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    const read = createReader((text) => statements.push(text))
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.once('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
    client.on('data', read)
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    take: () => statements.splice(0).filter((text) => !byItself.test(text.trim())),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Reads the client's half of the PostgreSQL protocol: a start message without a type, then typed messages. */
function createReader(onStatement: (text: string) => void) {
  let rest = Buffer.alloc(0)
  let started = false
  return (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const typeBytes = started ? 1 : 0
      if (rest.length < typeBytes + 4) return
      const end = typeBytes + rest.readInt32BE(typeBytes)
      if (rest.length < end) return
      const type = started ? String.fromCharCode(rest[0] ?? 0) : ''
      const fields = rest
        .subarray(typeBytes + 4, end)
        .toString('utf8')
        .split('\0')
      // Query has its text first, Parse after the name of the statement.
      if (type === 'Q') onStatement(fields[0] ?? '')
      if (type === 'P') onStatement(fields[1] ?? '')
      started = true
      rest = rest.subarray(end)
    }
  }
}
