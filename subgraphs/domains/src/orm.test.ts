import { openDatabase } from '@sluice/kit/testing'
import { expect, inject, test } from 'vitest'

import { database } from './orm.ts'

test('the committed migrations make exactly the tables that the entities describe', async () => {
  await using db = await openDatabase({ serverUrl: inject('databaseUrl'), ...database })

  expect(await db.orm.migrator.checkSchema()).toBe(false)
})
