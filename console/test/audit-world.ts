import { ago, failure } from './data.ts'
import { pageOf, type Page } from './page-of.ts'
import type { Platform } from './world.ts'

export interface FixtureAudit {
  /** What verifying finds; null: everything as it was sealed. */
  firstBad: { fault: string; sequence: number | null; entryId: string | null } | null
  streams: {
    id: string
    name: string
    kind: string
    url: string
    state: string
    lag: number
    failures: number
    lastError: string | null
    nextAt: string
    deliveredAt: string | null
    createdAt: string
  }[]
}

interface Search {
  readonly action?: string | null
  readonly actor?: string | null
  readonly target?: string | null
  readonly text?: string | null
}

/** How many entries one call verifies here: the page has to ask more than once. */
const rowsPerCall = 50_000
const rows = 70_000

export function auditOf(): FixtureAudit {
  return {
    firstBad: null,
    streams: [
      {
        id: 'st1',
        name: 'siem',
        kind: 'WEBHOOK',
        url: 'https://siem.example.com/in',
        state: 'FAILING',
        lag: 3,
        failures: 2,
        lastError: 'it answered 503',
        nextAt: ago(-40),
        deliveredAt: ago(3_600),
        createdAt: ago(86_400),
      },
    ],
  }
}

/** What the graph says of the audit of the organization. */
export function auditFieldsOf({ data, audit }: Platform) {
  return {
    auditEntries: ({ action, actor, target, text, ...page }: Page & Search) =>
      pageOf(
        data.auditEntries
          .map((entry, index) => ({
            ...entry,
            actorKind: 'user',
            actorId: entry.actor.id,
            sequence: data.auditEntries.length - index,
          }))
          .filter((entry) => !action || entry.action === action)
          .filter((entry) => !actor || entry.actorName.startsWith(actor))
          .filter((entry) => !target || entry.targetType === target)
          .filter((entry) => !text || JSON.stringify(entry).includes(text)),
        page,
      ),
    auditIntegrity: ({ from }: { from: number }) => {
      const bad = audit.firstBad
      const isHere = bad !== null && (bad.sequence ?? rows) < from + rowsPerCall
      const count = Math.min(rowsPerCall, (isHere ? (bad.sequence ?? rows) : rows + 1) - from)
      const end = from + count
      return {
        ok: !isHere,
        count,
        headSequence: end - 1,
        headHash: 'c0ffee'.padEnd(64, '0'),
        unsealed: 0,
        next: isHere || end > rows ? null : end,
        signedHead: {
          sequence: rows - 10,
          hash: 'c0ffee',
          at: ago(3_600),
          jws: null,
          objectKey: null,
        },
        firstBad: isHere ? bad : null,
      }
    },
    auditHeadKeys: '{"keys":[]}',
    auditSignedHeads: () =>
      data.auditEntries.length === 0
        ? []
        : [
            {
              sequence: 69_990,
              hash: 'c0ffee'.padEnd(64, '0'),
              at: ago(3_600),
              jws: 'e30.e30.c2ln',
              objectKey: 'audit-heads/o1/2026-11-21.jws',
            },
          ],
    auditStreams: () => audit.streams,
  }
}

export function auditMutationsOf({ audit }: Platform) {
  const streamBy = (id: string) => {
    const found = audit.streams.find((one) => one.id === id)
    if (!found) throw failure('SLUICE_AUDIT_STREAM_NOT_FOUND')
    return found
  }
  return {
    createAuditStream: ({ name, kind, url }: { name: string; kind: string; url: string }) => {
      const stream = {
        id: `st${audit.streams.length + 1}`,
        name,
        kind,
        url,
        state: 'DELIVERING',
        lag: 0,
        failures: 0,
        lastError: null,
        nextAt: ago(-5),
        deliveredAt: null,
        createdAt: ago(0),
      }
      audit.streams.push(stream)
      return { stream, secret: kind === 'WEBHOOK' ? 'whsec_bm90IGEgc2VjcmV0' : null }
    },
    switchAuditStream: ({ id, isOn }: { id: string; isOn: boolean }) =>
      Object.assign(streamBy(id), { state: isOn ? 'DELIVERING' : 'OFF', lastError: null }),
    deleteAuditStream: ({ id }: { id: string }) => {
      audit.streams.splice(audit.streams.indexOf(streamBy(id)), 1)
      return id
    },
  }
}
