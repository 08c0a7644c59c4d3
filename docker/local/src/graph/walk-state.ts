import type { World } from './world.ts'

/** What parts note by themselves, whoever asks for what. */
const notedTables = `tablename like 'inbox_%' or tablename like 'audit_%' or tablename like '%outbox_event'
  or tablename in ('mail', 'mail_link', 'sign_in', 'relay', 'agent_session', 'migrations',
    'auth_revoked_tokens', 'security_anomaly_events')`
const notedColumns = `array['last_used_at', 'last_used_ip', 'last_seen_at', 'next_at', 'failed_at']`

/** A digest of every row of every subgraph that somebody could have changed. */
export async function stateOf(world: World): Promise<string> {
  const tables = await world.sql<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname in ('identity', 'tunnels', 'domains', 'billing') and not (${notedTables}) order by 1`,
  )
  const digests = tables.map(
    ({ name }) =>
      `select '${name}' as name, md5(string_agg(line, '|' order by line)) as digest
       from (select (to_jsonb(one) - ${notedColumns})::text as line from ${name} as one) as lines`,
  )
  const rows = await world.sql(`${digests.join(' union all ')} order by 1`)
  return JSON.stringify(rows)
}

/** The same once nothing of what was done before is under way any more. */
export async function settledStateOf(world: World): Promise<string> {
  let before = await stateOf(world)
  for (let look = 0; look < looksMax; look += 1) {
    const now = await stateOf(world)
    if (now === before) break
    before = now
  }
  return before
}

const looksMax = 20
