import { randomBytes } from 'node:crypto'

import { createAttempts } from '@sluice/kit/attempts'
import { forkFor, forkSystem } from '@sluice/kit/database'
import { txtNameOf, txtValueOf } from '@sluice/kit/dns-proof'
import { silentLog } from '@sluice/kit/log'
import type { Principal } from '@sluice/kit/principal'
import { openRedis } from '@sluice/kit/redis'
import { Sealer } from '@sluice/kit/sealer'
import { memberOf, openDatabase } from '@sluice/kit/testing'
import { openDnsServer } from '@sluice/kit/testing-dns-server'
import { inject, onTestFinished } from 'vitest'

import type { Context } from '../context.ts'
import type { CustomDomain } from '../domain/custom-domain.entity.ts'
import { addCustomDomain, verifyCustomDomain } from '../domain/custom-domain.ts'
import { checkDns } from '../domain/dns-check.ts'
import { createLoaders } from '../domain/loaders.ts'
import { Allowance } from '../organization/allowance.entity.ts'
import { database } from '../orm.ts'
import { KnownTunnel } from '../tunnel/known-tunnel.entity.ts'

export const cnameTarget = 'edge.sluice.test'

/** Two organizations with a plan for five domains each, and a DNS server that knows nothing yet. */
export async function createWorld() {
  const db = await openDatabase({ serverUrl: inject('databaseUrl'), ...database })
  const dns = await openDnsServer()
  // Nobody is there: attempts are counted in memory.
  const redis = openRedis('redis://127.0.0.1:1', silentLog)
  const attempts = createAttempts(redis, silentLog)
  onTestFinished(async () => {
    redis.disconnect()
    await dns.close()
    await db[Symbol.asyncDispose]()
  })
  const acme = crypto.randomUUID()
  const globex = crypto.randomUUID()
  const system = forkSystem(db.orm)
  system.create(Allowance, { organizationId: acme, maxCustomDomains: 5 })
  system.create(Allowance, { organizationId: globex, maxCustomDomains: 5 })
  await system.flush()

  const announced: string[] = []
  const sealingKey = { id: 'test', key: randomBytes(32) }
  const sealer = new Sealer([sealingKey])
  const contextFor = (principal: Principal): Context => {
    const em = forkFor(db.orm, principal)
    return {
      principal,
      visitorIp: '192.0.2.7',
      em,
      settings: { cnameTarget, ownApexes: ['tunnel.sluice.test', 'console.sluice.test'] },
      attempts,
      checkDns: ({ domain, token }) =>
        checkDns({ domain, token, cnameTarget }, { dnsServers: [dns.address] }),
      loaders: createLoaders(em, principal),
      sealer,
      system: () => forkSystem(db.orm),
      announceCertificate: async (domain) => void announced.push(domain),
      log: silentLog,
    }
  }
  const setRecord = ({ domain, token }: CustomDomain) =>
    dns.txt(txtNameOf(domain), txtValueOf(token))
  return {
    db,
    dns,
    acme,
    globex,
    contextFor,
    /** The context of an owner of Acme, and of Globex. */
    asAcme: () => contextFor(memberOf(acme)),
    asGlobex: () => contextFor(memberOf(globex)),
    setRecord,
    sealingKey,
    /** Domains whose certificate relays were told to ask for anew. */
    announced,
    verified: async (organizationId: string, name: string): Promise<CustomDomain> => {
      const context = () => contextFor(memberOf(organizationId))
      const added = await addCustomDomain(context(), { organizationId, domain: name })
      setRecord(added)
      return verifyCustomDomain(context(), added.id)
    },
    tunnel: async (organizationId: string): Promise<string> => {
      const id = crypto.randomUUID()
      const em = forkSystem(db.orm)
      em.create(KnownTunnel, { id, organizationId })
      await em.flush()
      return id
    },
    /** Names and payloads of the events recorded so far, in order; what was told the audit apart. */
    events: () =>
      forkSystem(db.orm).execute<{ name: string; payload: Record<string, unknown> }[]>(
        `select name, payload from domains.outbox_event where name <> 'act.recorded' order by sequence`,
      ),
    /** What the audit was told, in order: action, kind of actor, details. */
    acts: async () => {
      const rows = await forkSystem(db.orm).execute<
        { payload: { action: string; actor: { kind: string }; details: string } }[]
      >(`select payload from domains.outbox_event where name = 'act.recorded' order by sequence`)
      return rows.map(({ payload }) => [payload.action, payload.actor.kind, payload.details])
    },
  }
}

export type World = Awaited<ReturnType<typeof createWorld>>
