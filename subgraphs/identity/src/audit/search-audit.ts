import type { EntityManager } from '@sluice/kit/database'
import { pageOf, type Page } from '@sluice/kit/keyset'
import { isUuid } from '@sluice/kit/uuid'
import type { AuditRow } from '@sluice/schema/audit-chain'
import { actActions } from '@sluice/schema/events'

import type { Context } from '../context.ts'
import { inputInvalid } from '../text.ts'
import { chainOf } from './audit-chain.entity.ts'
import { searchedWords } from './audit-entry.entity.ts'
import { auditReaderOf, type AuditOwner } from './audit-reader.ts'
import { rowColumns } from './audit-rows.ts'
import { auditActions } from './audit.ts'

type Given<T> = T | null | undefined

/** What is asked for; all of it must hold. */
export interface AuditFilter {
  readonly action?: Given<string>
  /** An id, or the beginning of a name. */
  readonly actor?: Given<string>
  /** An id, or a kind of thing. */
  readonly target?: Given<string>
  readonly from?: Given<Date>
  /** Not itself within. */
  readonly to?: Given<Date>
  /** Words, or beginnings of words, of what an entry says. */
  readonly text?: Given<string>
}

/** An entry as it is shown. `sequence` and `hash` are null for the seconds until it is sealed. */
export type AuditRecord = Omit<AuditRow, 'sequence' | 'at'> & {
  readonly at: Date
  readonly sequence: number | null
  readonly hash: string | null
}

const textCharactersMax = 200
const wordsMax = 8

/** The audit of one organization or of the platform, newest first. */
export async function searchAudit(
  context: Context,
  owner: AuditOwner,
  args: AuditFilter & { first?: Given<number>; after?: Given<string> },
): Promise<Page<AuditRecord>> {
  const em = auditReaderOf(context, owner)
  const where = conditionsOf(args)
  return pageOf(args, keysetOf, async (rows, after) => {
    const keyset = after ? 'and (entry.at, entry.id) < (?, ?)' : ''
    const found = await em.execute<RecordColumns[]>(
      `select ${rowColumns}, link.sequence, link.hash from identity.audit_entry as entry
       left join identity.audit_link as link on link.entry_id = entry.id
       where entry.organization_id ${owner === null ? 'is null' : '= ?'} ${keyset} ${where.sql}
       order by entry.at desc, entry.id desc limit ?`,
      [
        ...(owner === null ? [] : [owner]),
        ...(after ? [after.at, after.id] : []),
        ...where.parameters,
        rows,
      ],
    )
    return found.map(recordOf)
  })
}

const exportRowsPerPage = 1_000

/**
 * The entries of an organization or of the platform in the order of their chain, and behind them those that are not sealed yet. One page is in
 * memory at a time.
 */
export async function* exportedRecords(
  em: EntityManager,
  owner: AuditOwner,
  filter: AuditFilter = {},
): AsyncGenerator<AuditRecord> {
  const where = conditionsOf(filter)
  let after = 0
  let found: RecordColumns[]
  do {
    found = await em.execute<RecordColumns[]>(
      `select ${rowColumns}, link.sequence, link.hash from identity.audit_link as link
       join identity.audit_entry as entry on entry.id = link.entry_id
       where link.organization_id = ? and link.sequence > ? ${where.sql}
       order by link.sequence limit ${exportRowsPerPage}`,
      [chainOf(owner), after, ...where.parameters],
    )
    yield* found.map(recordOf)
    after = Number(found.at(-1)?.sequence ?? after)
  } while (found.length === exportRowsPerPage)
  const unsealed = await em.execute<RecordColumns[]>(
    `select ${rowColumns}, null as sequence, null as hash from identity.audit_unsealed as waiting
     join identity.audit_entry as entry on entry.id = waiting.entry_id
     where waiting.organization_id is not distinct from ? ${where.sql}
     order by waiting.position limit ${exportRowsPerPage}`,
    [owner, ...where.parameters],
  )
  yield* unsealed.map(recordOf)
}

type RecordColumns = Omit<AuditRow, 'sequence'> & { sequence: string | null; hash: string | null }

function recordOf({ at, sequence, ...rest }: RecordColumns): AuditRecord {
  return { ...rest, at: new Date(at), sequence: sequence === null ? null : Number(sequence) }
}

function keysetOf({ at, id }: AuditRecord) {
  return { at, id }
}

/** The filter as conditions on `entry`, each with `and` before it. */
export function conditionsOf(filter: AuditFilter): { sql: string; parameters: unknown[] } {
  const { action, actor, target, from, to, text } = filter
  if (action && ![...auditActions, ...actActions].some((one) => one === action)) {
    throw inputInvalid(`there is no action ${action.slice(0, 64)}`)
  }
  for (const given of [actor, target, text]) {
    if (given && given.length > textCharactersMax) {
      throw inputInvalid(`a search has at most ${textCharactersMax} characters`)
    }
  }
  const sql: string[] = []
  const parameters: unknown[] = []
  const add = (condition: string, ...values: unknown[]) => {
    sql.push(`and ${condition}`)
    parameters.push(...values)
  }
  if (action) add('entry.action = ?', action)
  if (actor) {
    if (isUuid(actor)) add('entry.actor_id = ?', actor)
    else add(`starts_with(lower(entry.actor_name), lower(?))`, actor.trim())
  }
  if (target) {
    const isId = isUuid(target) || !/^[a-z-]{1,32}$/.test(target)
    add(isId ? 'entry.target_id = ?' : 'entry.target_type = ?', target)
  }
  if (from) add('entry.at >= ?', from)
  if (to) add('entry.at < ?', to)
  const words = wordsOf([text, actor && !isUuid(actor) ? actor : ''].join(' '))
  if (words.length > 0) add(`${searchedWords} @@ to_tsquery('simple', ?)`, words.join(' & '))
  return { sql: sql.join(' '), parameters }
}

/** Each as a prefix for `to_tsquery`. No sign of its syntax can be among them. */
function wordsOf(text: string): string[] {
  const words = text.split(/[\s!-/:-@[-`{-~]+/u).filter((word) => word !== '')
  return words.slice(0, wordsMax).map((word) => `'${word}':*`)
}
