import { createMigration } from '@sluice/kit/create-migration'

import { database } from '../src/orm.ts'

process.stdout.write(`${(await createMigration(database)) ?? 'nothing has changed'}\n`)
