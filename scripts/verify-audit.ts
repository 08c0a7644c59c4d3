import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

import {
  auditHash,
  auditHeadType,
  noPreviousHash,
  type AuditHead,
  type AuditRow,
} from '../schema/audit-chain.ts'

/**
 * Verifies an export of the audit (JSON Lines, the whole chain) without the server that wrote it, against a signed head that
 * was kept elsewhere. Exit code 0: all of it is as it was signed; 1: it is not; 2: it could not be verified.
 */
const usage =
  'usage: node scripts/verify-audit.ts <export.jsonl> [--head <head.jws> --keys <jwks.json>]'

interface Verified {
  readonly count: number
  readonly hash: string
}

async function main(args: string[]): Promise<number> {
  const options = { head: { type: 'string' }, keys: { type: 'string' } } as const
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  const [file, ...more] = positionals
  if (!file || more.length > 0 || (values.head === undefined) !== (values.keys === undefined)) {
    process.stderr.write(`${usage}\n`)
    return 2
  }
  const head =
    values.head !== undefined && values.keys !== undefined
      ? readHead(readFileSync(values.head, 'utf8').trim(), readFileSync(values.keys, 'utf8'))
      : null
  const { count, hash } = await verifyExport(file, head)
  process.stdout.write(`${count} entries are as they were sealed, the last hash is ${hash}\n`)
  if (head) process.stdout.write(`and as they were signed up to ${head.sequence} at ${head.at}\n`)
  else process.stdout.write('but nothing says that the chain is the one that was signed\n')
  return 0
}

/** Throws at the first line that is not what the chain says, and when the export ends before the head. */
async function verifyExport(file: string, head: AuditHead | null): Promise<Verified> {
  let count = 0
  let hash = noPreviousHash
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (line === '') continue
    const { hash: sealed, ...row } = JSON.parse(line) as AuditRow & { hash: string | null }
    // Those at the end that had no place yet when the export was made.
    if (sealed === null) continue
    if (row.sequence !== count + 1) throw new Error(`${count + 1} is missing`)
    if (auditHash(row, hash) !== sealed) throw new Error(`${row.sequence} (${row.id}) was changed`)
    count = row.sequence
    hash = sealed
    if (head?.sequence !== count) continue
    if (head.hash !== hash) throw new Error(`${count} is not what was signed`)
    if (head.organizationId !== row.organizationId) throw new Error('the head is of another chain')
  }
  if (head && head.sequence > count) {
    throw new Error(`${head.sequence} were signed, but the export ends with ${count}`)
  }
  return { count, hash }
}

/** A signed head (JWS compact, EdDSA) whose signature is of one of the keys. */
function readHead(jws: string, jwks: string): AuditHead {
  const [header = '', payload = '', signature = ''] = jws.split('.')
  const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown
  const { alg, typ, kid } = parse(header) as Record<string, unknown>
  if (alg !== 'EdDSA' || typ !== auditHeadType) throw new Error('the head is no signed head')
  const { keys } = JSON.parse(jwks) as { keys: (JsonWebKey & { kid?: string })[] }
  const key = keys.find((one) => one.kid === kid)
  if (!key) throw new Error('the head is signed with a key that the set does not hold')
  const isGood = verify(
    null,
    Buffer.from(`${header}.${payload}`),
    createPublicKey({ key, format: 'jwk' }),
    Buffer.from(signature, 'base64url'),
  )
  if (!isGood) throw new Error('the signature of the head is wrong')
  return parse(payload) as AuditHead
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`not verified: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
