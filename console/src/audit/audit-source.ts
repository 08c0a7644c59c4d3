import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { createContext, useContext } from 'react'

import {
  AuditEntriesDocument,
  AuditIntegrityDocument,
  AuditSignedHeadsDocument,
  PlatformAuditEntriesDocument,
  PlatformAuditIntegrityDocument,
  PlatformAuditSignedHeadsDocument,
} from '../gql/graphql.ts'
import type {
  AuditEntriesQuery,
  AuditIntegrityQuery,
  AuditSignedHeadsQuery,
  PlatformAuditEntriesQuery,
  PlatformAuditIntegrityQuery,
  PlatformAuditSignedHeadsQuery,
} from '../gql/graphql.ts'

type Variables = Record<string, unknown>
/** What an organization and the platform answer alike, each under its own name. */
type Either<Own, Platform> = TypedDocumentNode<Own | Platform, Variables>
type EntriesQuery = AuditEntriesQuery | PlatformAuditEntriesQuery
type IntegrityQuery = AuditIntegrityQuery | PlatformAuditIntegrityQuery
type HeadsQuery = AuditSignedHeadsQuery | PlatformAuditSignedHeadsQuery

/** Whose audit is shown, and how it is asked for. */
export interface AuditSource {
  /** Null for the platform's. */
  readonly organizationId: string | null
  /** Where it stands in an answer. */
  readonly path: 'organization' | 'platformAudit'
  readonly variables: Variables
  readonly entries: Either<AuditEntriesQuery, PlatformAuditEntriesQuery>
  readonly integrity: Either<AuditIntegrityQuery, PlatformAuditIntegrityQuery>
  readonly heads: Either<AuditSignedHeadsQuery, PlatformAuditSignedHeadsQuery>
}

export const platformAudit: AuditSource = {
  organizationId: null,
  path: 'platformAudit',
  variables: {},
  // Variables are not part of the common type: `variables`, and what those who ask add to them.
  entries: PlatformAuditEntriesDocument,
  integrity: PlatformAuditIntegrityDocument as AuditSource['integrity'],
  heads: PlatformAuditSignedHeadsDocument as AuditSource['heads'],
}

export function auditOfOrganization(organizationId: string): AuditSource {
  return {
    organizationId,
    path: 'organization',
    variables: { organizationId },
    entries: AuditEntriesDocument as AuditSource['entries'],
    integrity: AuditIntegrityDocument as AuditSource['integrity'],
    heads: AuditSignedHeadsDocument as AuditSource['heads'],
  }
}

export const entriesOf = (data: EntriesQuery) =>
  'platformAudit' in data ? data.platformAudit.auditEntries : data.organization?.auditEntries

export const integrityOf = (data: IntegrityQuery) =>
  'platformAudit' in data ? data.platformAudit.auditIntegrity : data.organization?.auditIntegrity

export const headsOf = (data: HeadsQuery) =>
  'platformAudit' in data ? data.platformAudit : data.organization

export type Entry = NonNullable<ReturnType<typeof entriesOf>>['nodes'][number]
export type Integrity = NonNullable<ReturnType<typeof integrityOf>>

export const AuditContext = createContext<AuditSource>(platformAudit)
export const useAudit = () => useContext(AuditContext)
