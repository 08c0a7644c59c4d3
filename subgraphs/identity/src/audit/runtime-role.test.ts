import { forkSystem, openOrm } from '@sluice/kit/database'
import { withRowSecurity } from '@sluice/kit/row-security'
import { openEmptyDatabase } from '@sluice/kit/testing'
import { expect, inject, onTestFinished, test } from 'vitest'

import { database } from '../orm.ts'
import { recordAct } from './audit.ts'
import { migrateAsOwner } from './runtime-role.ts'
import { sealEntries } from './seal-entries.ts'

/** A database with an owner and a role that serves, neither of them a superuser. */
async function openRoles() {
  const empty = await openEmptyDatabase(inject('databaseUrl'))
  onTestFinished(() => empty[Symbol.asyncDispose]())
  const name = crypto.randomUUID().slice(0, 8)
  const urlOf = (role: string) => {
    const url = new URL(empty.url)
    url.username = `${role}_${name}`
    url.password = 'secret'
    return url.href
  }
  for (const role of ['owner', 'runtime']) {
    await empty.query(`create role ${role}_${name} login password 'secret'`)
  }
  const databaseName = new URL(empty.url).pathname.slice(1)
  await empty.query(`alter database ${databaseName} owner to owner_${name}`)
  return { ownerUrl: urlOf('owner'), runtimeUrl: urlOf('runtime') }
}

test.for([false, true])(
  'the role that serves adds to the audit and seals it, and can change none of it (row security: %s)',
  async (isSecured) => {
    const { ownerUrl, runtimeUrl } = await openRoles()
    const as = (url: string) => (isSecured ? withRowSecurity(url) : url)
    await Promise.all([1, 2].map(() => migrateAsOwner(as(ownerUrl), as(runtimeUrl))))
    const orm = await openOrm({ ...database, databaseUrl: as(runtimeUrl) })
    onTestFinished(() => orm.close(true))
    const em = () => forkSystem(orm)
    await em().transactional(async (inside) => {
      const target = { type: 'user', id: crypto.randomUUID() } as const
      const at = new Date()
      const organizationId = crypto.randomUUID()
      recordAct(inside, { action: 'mail.retried', actor: null, organizationId, target, ip: '', at })
    })

    expect(await sealEntries(orm)).toBe(1)
    for (const statement of [
      `update identity.audit_entry set details = 'x'`,
      'delete from identity.audit_entry',
      'truncate identity.audit_entry',
      `update identity.audit_link set hash = 'x'`,
      'delete from identity.audit_link',
      'delete from identity.audit_signed_head',
      'alter table identity.audit_entry disable trigger all',
      'drop table identity.audit_link',
    ]) {
      await expect(em().execute(statement)).rejects.toThrow(/permission denied|must be owner/)
    }
    expect(await em().execute('select 1 from identity.audit_link')).toHaveLength(1)
  },
)
