import { createSocket } from 'node:dgram'

import { decode, encode, type Answer } from 'dns-packet'

type RecordType = 'TXT' | 'CNAME' | 'A' | 'AAAA'

/** Response codes of RFC 1035 §4.1.1, which dns-packet takes as the low bits of the flags. */
const serverFailure = 2
const nameError = 3
const authoritativeAnswer = 0x0400

/** A real DNS server on loopback, answering what a test has set. */
export async function openDnsServer() {
  const records = new Map<string, Answer[]>()
  const failing = new Set<string>()
  let queries = 0

  const socket = createSocket('udp4', (message, from) => {
    const query = decode(message)
    const [question] = query.questions ?? []
    const name = question?.name.toLowerCase() ?? ''
    queries += 1
    const answers = records.get(`${name} ${question?.type}`) ?? []
    const exists = Array.from(records.keys()).some((key) => key.startsWith(`${name} `))
    const code = failing.has(name) ? serverFailure : exists ? 0 : nameError
    const reply = encode({
      type: 'response',
      id: query.id ?? 0,
      flags: authoritativeAnswer | code,
      questions: query.questions ?? [],
      answers: code === 0 ? answers : [],
    })
    socket.send(reply, from.port, from.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))

  const add = (type: RecordType, name: string, data: Answer) => {
    const key = `${name} ${type}`
    records.set(key, [...(records.get(key) ?? []), data])
  }
  return {
    /** As `dnsServers` takes it. */
    address: `127.0.0.1:${socket.address().port}`,
    /** Several texts make one record in several pieces. */
    txt: (name: string, ...texts: string[]) =>
      add('TXT', name, { type: 'TXT', name, ttl: 300, data: texts }),
    cname: (name: string, data: string) =>
      add('CNAME', name, { type: 'CNAME', name, ttl: 300, data }),
    a: (name: string, data: string) => add('A', name, { type: 'A', name, ttl: 300, data }),
    clear: () => records.clear(),
    /** Makes the server answer SERVFAIL for a name. */
    fail: (name: string) => failing.add(name),
    queries: () => queries,
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  }
}
