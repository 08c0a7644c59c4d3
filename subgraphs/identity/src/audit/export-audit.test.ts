import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

import { forkSystem } from '@sluice/kit/database'
import { openObjectStore } from '@sluice/kit/object-store'
import { generatePrivateJwks } from '@sluice/kit/signing-keys'
import { openDatabase } from '@sluice/kit/testing'
import { expect, inject, onTestFinished, test } from 'vitest'

import { database } from '../orm.ts'
import { recordAct } from './audit.ts'
import { exportLines, type ExportFormat } from './export-audit.ts'
import { sealEntries } from './seal-entries.ts'
import { exportedRecords, type AuditFilter } from './search-audit.ts'
import { openHeadKeys, signHeads } from './signed-heads.ts'

const run = promisify(execFile)
const script = resolve(import.meta.dirname, '../../../../scripts/verify-audit.ts')

/** An organization whose entries have these details, all of them sealed. */
async function openExport(details: readonly string[]) {
  const db = await openDatabase({ ...database, serverUrl: inject('databaseUrl') })
  onTestFinished(() => db[Symbol.asyncDispose]())
  const folder = mkdtempSync(join(tmpdir(), 'sluice-export-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const organizationId = crypto.randomUUID()
  const em = () => forkSystem(db.orm)
  await em().transactional(async (inside) => {
    for (const [n, text] of details.entries()) {
      recordAct(inside, {
        action: n % 2 === 0 ? 'authtoken.created' : 'authtoken.revoked',
        actor: { id: crypto.randomUUID(), name: `Ada ${n}` },
        organizationId,
        target: { type: 'authtoken', id: crypto.randomUUID() },
        details: text,
        ip: '192.0.2.7',
        at: new Date(),
      })
    }
  })
  while ((await sealEntries(db.orm)) > 0);
  return {
    folder,
    organizationId,
    orm: db.orm,
    text: async (format: ExportFormat, filter: AuditFilter = {}) => {
      const chunks = []
      for await (const chunk of exportLines(
        exportedRecords(em(), organizationId, filter),
        format,
      )) {
        chunks.push(chunk)
      }
      return chunks.join('')
    },
  }
}

test('a file for spreadsheets holds no formula and no broken line', async () => {
  const { text } = await openExport([
    '=HYPERLINK("http://evil.test")',
    '+1',
    '-1',
    '@cmd',
    '\t=1',
    'a "quote", a comma',
    'two\r\nlines',
    'plain',
  ])

  const csv = await text('csv')

  for (const cell of [
    `"'=HYPERLINK(""http://evil.test"")"`,
    `"'+1"`,
    `"'-1"`,
    `"'@cmd"`,
    `"'\t=1"`,
    `"a ""quote"", a comma"`,
    `"two\r\nlines"`,
    ',plain,',
  ]) {
    expect(csv).toContain(cell)
  }
  expect(csv.split('\r\n')[0]).toBe(
    'sequence,at,action,actorKind,actorId,actorName,targetType,targetId,details,ip,id,organizationId,hash',
  )
})

test('an export has every entry once, in the order of the chain, a page in memory at a time', async () => {
  const { text } = await openExport(Array.from({ length: 2_300 }, (_, n) => `entry ${n}`))

  const lines = (await text('jsonl')).trimEnd().split('\n')
  const some = (await text('jsonl', { action: 'authtoken.revoked' })).trimEnd().split('\n')
  const one = (await text('jsonl', { text: 'entry 2299' })).trimEnd().split('\n')

  expect(lines.map((line) => JSON.parse(line).sequence)).toEqual(lines.map((_, n) => n + 1))
  expect([lines.length, some.length]).toEqual([2_300, 1_150])
  expect(one.map((line) => JSON.parse(line).details)).toContain('entry 2299')
  // Ids have words too, and some may begin so.
  expect(one.length).toBeLessThan(100)
})

test('an export is verified without the server, and what was changed is named', async () => {
  const { folder, orm, organizationId, text } = await openExport(['one', 'two', 'three', 'four'])
  const keys = await openHeadKeys(await generatePrivateJwks(2))
  const objects = await openObjectStore({ folder })
  await signHeads({ orm, keys, objects, now: () => new Date() })
  const lines = (await text('jsonl')).trimEnd().split('\n')
  const day = new Date().toISOString().slice(0, 10)
  const head = join(folder, 'audit-heads', organizationId, `${day}.jws`)
  const jwks = join(folder, 'audit-heads', 'jwks.json')
  const file = join(folder, 'export.jsonl')
  const verify = async (content: readonly string[], with_ = ['--head', head, '--keys', jwks]) => {
    writeFileSync(file, content.join('\n'))
    return run(process.execPath, [script, file, ...with_]).then(
      ({ stdout }) => stdout,
      ({ stderr }: { stderr: string }) => stderr,
    )
  }
  const changed = lines.with(1, (lines[1] ?? '').replace('two', '2'))

  expect(await verify(lines)).toContain('as they were signed up to 4')
  expect(await verify(changed)).toContain('2 (')
  expect(await verify(lines.toSpliced(2, 1))).toContain('3 is missing')
  expect(await verify(lines.slice(0, 3))).toContain('4 were signed, but the export ends with 3')
  expect(await verify(lines, [])).toContain('nothing says that the chain is the one')
  const [start = '', , signature = ''] = readFileSync(head, 'utf8').split('.')
  const forged = { organizationId, sequence: 1, hash: 'a'.repeat(64), at: new Date().toISOString() }
  const payload = Buffer.from(JSON.stringify(forged)).toString('base64url')
  writeFileSync(head, [start, payload, signature].join('.'))
  expect(await verify(lines)).toContain('the signature of the head is wrong')
})
