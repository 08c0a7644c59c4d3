import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { forkSystem } from '@sluice/kit/database'
import { openObjectStore } from '@sluice/kit/object-store'
import { generatePrivateJwks } from '@sluice/kit/signing-keys'
import { openDatabase } from '@sluice/kit/testing'
import { auditHash, noPreviousHash } from '@sluice/schema/audit-chain'
import { expect, inject, onTestFinished, test } from 'vitest'

import { database } from '../orm.ts'
import { linkedRows } from './audit-rows.ts'
import { recordAct } from './audit.ts'
import { verifyChain } from './integrity.ts'
import { sealEntries } from './seal-entries.ts'
import { openHeadKeys, signHeads } from './signed-heads.ts'

/** An organization with `count` entries, all of them in its chain, and a folder for what is exported. */
async function openAudited(count: number) {
  const db = await openDatabase({ ...database, serverUrl: inject('databaseUrl') })
  onTestFinished(() => db[Symbol.asyncDispose]())
  const folder = mkdtempSync(join(tmpdir(), 'sluice-audit-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const objects = await openObjectStore({ folder })
  const headKeys = await openHeadKeys(await generatePrivateJwks(1))
  const organizationId = crypto.randomUUID()
  let time = Date.now()
  const now = () => new Date(time)
  const em = () => forkSystem(db.orm)
  const write = (names: readonly string[], of: string | null = organizationId) =>
    em().transactional(async (inside) => {
      for (const details of names) {
        recordAct(inside, {
          action: 'authtoken.created',
          actor: { id: crypto.randomUUID(), name: 'Ada' },
          organizationId: of,
          target: { type: 'authtoken', id: crypto.randomUUID() },
          details,
          ip: '192.0.2.7',
          at: now(),
        })
      }
    })
  await write(Array.from({ length: count }, (_, n) => `entry ${n}`))
  await sealEntries(db.orm)
  return {
    write,
    pass: (ms: number) => void (time += ms),
    seal: () => sealEntries(db.orm),
    sign: (to: typeof objects | undefined = objects) =>
      signHeads({ orm: db.orm, keys: headKeys, objects: to, now }),
    verify: (from = 1, rowsMax?: number, of: string | null = organizationId) =>
      verifyChain({ em: em(), headKeys, objects }, of, from, rowsMax),
    rows: () => linkedRows(em(), organizationId, 1, 1_000),
    /** What a database administrator could do: triggers are off. `$org` stands for the organization. */
    tamper: (...statements: string[]) =>
      em().transactional(async (inside) => {
        await inside.execute('set local session_replication_role = replica')
        for (const one of statements) {
          await inside.execute(one.replaceAll('$org', `'${organizationId}'`))
        }
      }),
  }
}

const link = (sequence: number) =>
  `(select entry_id from identity.audit_link where organization_id = $org and sequence = ${sequence})`

test('entries of many at once make one chain per organization, without gaps', async () => {
  const { seal, rows, write, verify } = await openAudited(5)
  const sealings = Array.from({ length: 4 }, async () => {
    await write(['one', 'two', 'three'])
    return seal()
  })
  await Promise.all(sealings)
  while ((await seal()) > 0);

  const chain = await rows()
  expect(chain.map(({ sequence }) => sequence)).toEqual(chain.map((_, index) => index + 1))
  let previous = noPreviousHash
  for (const { row, hash } of chain) {
    expect(row && auditHash(row, previous)).toBe(hash)
    previous = hash
  }
  expect(chain).toHaveLength(17)
  expect(await verify()).toMatchObject({ ok: true, count: 17, firstBad: null, unsealed: 0 })
})

test('what belongs to no organization has a chain of its own', async () => {
  const { write, seal, verify } = await openAudited(3)
  await write(['of nobody'], null)
  await seal()
  expect(await verify(1, 1, null)).toMatchObject({ ok: true, count: 1 })
})

test('an entry that waits for its place is counted, and no fault', async () => {
  const { write, verify } = await openAudited(5)
  await write(['not yet'])
  expect(await verify()).toMatchObject({ ok: true, count: 5, unsealed: 1, firstBad: null })
})

test('a long chain is verified piece by piece', async () => {
  const { verify } = await openAudited(8)
  expect(await verify(1, 3)).toMatchObject({ ok: true, count: 3, next: 4 })
  expect(await verify(4)).toMatchObject({ ok: true, count: 5, next: null, head: { sequence: 8 } })
})

test.for([
  [
    'a field that was changed',
    ['CHANGED', 4],
    `update identity.audit_entry set details = 'harmless' where id = ${link(4)}`,
  ],
  [
    'an actor that was changed',
    ['CHANGED', 1],
    `update identity.audit_entry set actor_id = gen_random_uuid() where id = ${link(1)}`,
  ],
  [
    'a time that was moved by a millisecond',
    ['CHANGED', 8],
    `update identity.audit_entry set at = at + interval '1 ms' where id = ${link(8)}`,
  ],
  [
    'an entry that was deleted',
    ['MISSING', 5],
    `delete from identity.audit_entry where id = ${link(5)}`,
  ],
  [
    'an entry that was moved to another organization',
    ['CHANGED', 2],
    `update identity.audit_entry set organization_id = gen_random_uuid() where id = ${link(2)}`,
  ],
  [
    'a hash that was replaced',
    ['CHANGED', 6],
    `update identity.audit_link set hash = repeat('a', 64) where organization_id = $org and sequence = 6`,
  ],
  [
    'an entry that was put in beside the chain',
    ['INSERTED', null],
    `insert into identity.audit_entry select (jsonb_populate_record(entry, jsonb_build_object('id', gen_random_uuid()))).* from identity.audit_entry as entry where id = ${link(3)}`,
  ],
] as const)('%s is named', async ([, [fault, sequence], statement]) => {
  const { verify, tamper: change } = await openAudited(8)
  await change(statement)
  const { ok, firstBad } = await verify()
  expect({ ok, fault: firstBad?.fault, sequence: firstBad?.sequence }).toEqual({
    ok: false,
    fault,
    sequence,
  })
})

test('an entry that was deleted together with its link is named', async () => {
  const { verify, tamper: change } = await openAudited(8)
  await change(
    `delete from identity.audit_entry where id = ${link(5)}`,
    'delete from identity.audit_link where organization_id = $org and sequence = 5',
  )
  expect((await verify()).firstBad).toEqual({ fault: 'MISSING', sequence: 5, entryId: null })
})

test('two entries that changed places are named', async () => {
  const { verify, rows, tamper: change } = await openAudited(8)
  const [, , third, , fifth] = await rows()
  await change(
    `update identity.audit_link set entry_id = gen_random_uuid() where organization_id = $org and sequence = 3`,
    `update identity.audit_link set entry_id = '${third?.entryId}' where organization_id = $org and sequence = 5`,
    `update identity.audit_link set entry_id = '${fifth?.entryId}' where organization_id = $org and sequence = 3`,
  )
  expect((await verify()).firstBad).toMatchObject({ fault: 'REORDERED', sequence: 3 })
})

test('an entry that was put into the chain is named, also with a hash that fits', async () => {
  const { verify, rows, tamper: change } = await openAudited(8)
  const chain = await rows()
  const id = crypto.randomUUID()
  const fourth = chain[3]?.row
  if (!fourth) throw new TypeError('no fourth row')
  const fitting = auditHash(
    { ...fourth, id, details: 'never was', sequence: 4 },
    chain[2]?.hash ?? '',
  )
  await change(
    'update identity.audit_link set sequence = -sequence where organization_id = $org and sequence >= 4',
    'update identity.audit_link set sequence = 1 - sequence where organization_id = $org and sequence < 0',
    `insert into identity.audit_entry select (jsonb_populate_record(entry, '${JSON.stringify({ id, details: 'never was' })}')).* from identity.audit_entry as entry where id = '${fourth.id}'`,
    `insert into identity.audit_link (organization_id, sequence, entry_id, hash) values ($org, 4, '${id}', '${fitting}')`,
  )
  expect((await verify()).firstBad).toEqual({ fault: 'INSERTED', sequence: 4, entryId: id })

  await change(
    `update identity.audit_link set hash = repeat('b', 64) where organization_id = $org and sequence = 4`,
  )
  expect((await verify()).firstBad).toEqual({ fault: 'INSERTED', sequence: 4, entryId: id })
})

test('a tail that was cut off is found by the signed head, wherever that is kept', async () => {
  const { sign, verify, tamper: change } = await openAudited(8)
  expect(await sign()).toBeGreaterThan(0)
  const cut = [
    `delete from identity.audit_entry where id in (select entry_id from identity.audit_link where organization_id = $org and sequence > 6)`,
    'delete from identity.audit_link where organization_id = $org and sequence > 6',
  ]
  await change(...cut)
  expect((await verify()).firstBad).toEqual({ fault: 'TRUNCATED', sequence: 7, entryId: null })

  await change('delete from identity.audit_signed_head')
  expect((await verify()).firstBad).toEqual({ fault: 'TRUNCATED', sequence: 7, entryId: null })
})

test('a chain that was made anew from end to end is found by the head that left the database', async () => {
  const { sign, rows, verify, tamper: change } = await openAudited(8)
  await sign()
  await change(
    `update identity.audit_entry set details = 'harmless' where id = ${link(2)}`,
    'delete from identity.audit_signed_head',
  )
  let previous = noPreviousHash
  for (const { row, sequence } of await rows()) {
    if (!row) continue
    previous = auditHash(row, previous)
    await change(
      `update identity.audit_link set hash = '${previous}' where organization_id = $org and sequence = ${sequence}`,
    )
  }
  expect((await verify()).firstBad).toMatchObject({ fault: 'REWRITTEN', sequence: 8 })
})

test('a signed head that was made up is no head', async () => {
  const { sign, verify, tamper: change } = await openAudited(8)
  await sign(undefined)
  expect((await verify()).signedHead).toMatchObject({ sequence: 8 })
  await change(
    `update identity.audit_signed_head set jws = 'e30.e30.e30' where organization_id = $org`,
  )
  expect((await verify()).firstBad).toMatchObject({ fault: 'HEAD_FORGED', sequence: 8 })
})

test('a chain is signed once a day, and again when it has grown since', async () => {
  const { pass, sign, write, seal, verify } = await openAudited(5)
  expect(await sign()).toBeGreaterThan(0)
  expect(await sign()).toBe(0)
  await write(['later'])
  await seal()
  expect(await sign()).toBe(0)
  pass(24 * 3_600_000)
  expect(await sign()).toBe(1)
  pass(48 * 3_600_000)
  expect(await sign()).toBe(0)
  expect((await verify()).signedHead).toMatchObject({ sequence: 6 })
})
