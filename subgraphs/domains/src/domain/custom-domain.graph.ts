import { txtNameOf, txtValueOf } from '@sluice/kit/dns-proof'
import { connectionType, pageSize } from '@sluice/kit/graph'
import { pageOf } from '@sluice/kit/keyset'

import { builder } from '../builder.ts'
import type { CustomDomain } from './custom-domain.entity.ts'
import {
  addCustomDomain,
  attachCustomDomain,
  detachCustomDomain,
  mayReadDomains,
  removeCustomDomain,
  verifyCustomDomain,
} from './custom-domain.ts'

const DomainStatus = builder.enumType('DomainStatus', {
  description: 'Whether a domain is proven.',
  values: {
    PENDING: { description: 'The TXT record was not found yet.' },
    VERIFIED: { description: 'The TXT record proved the domain.' },
  },
})

const TlsStatus = builder.enumType('TlsStatus', {
  description: 'What a visitor’s browser finds at a domain.',
  values: {
    VALID: { description: 'A certificate for this domain, trusted and not about to expire.' },
    EXPIRING: {
      description: 'The certificate is valid, but less than a fifth of its life is left.',
    },
    EXPIRED: { description: 'The certificate has expired.' },
    MISMATCH: { description: 'The certificate is for other names, or not trusted.' },
    UNREACHABLE: { description: 'No TLS handshake was possible.' },
  },
})

interface DnsRecord {
  type: 'TXT' | 'CNAME'
  name: string
  value: string
  purpose: string
  found: boolean | null
}

const DnsRecordType = builder.objectRef<DnsRecord>('DnsRecord').implement({
  tag: 'public',
  description: 'A record to set at the DNS provider of a domain.',
  fields: (t) => ({
    type: t.exposeString('type', { description: 'TXT or CNAME.' }),
    name: t.exposeString('name', { description: 'The full name of the record.' }),
    value: t.exposeString('value', { description: 'The exact value.' }),
    purpose: t.exposeString('purpose', { description: 'What the record is for.' }),
    found: t.exposeBoolean('found', {
      nullable: true,
      description: 'Whether the last check found it; null while that is not known.',
    }),
  }),
})

const TlsProbeType = builder.objectRef<CustomDomain>('TlsProbe').implement({
  tag: 'public',
  description: 'The last look at a domain’s certificate, made as a visitor would.',
  fields: (t) => ({
    status: t.field({
      type: TlsStatus,
      description: 'What was found.',
      resolve: (domain) => domain.tlsStatus ?? 'UNREACHABLE',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the certificate expires.',
      resolve: (domain) => domain.tlsExpiresAt,
    }),
    issuer: t.exposeString('tlsIssuer', { nullable: true, description: 'Who issued it.' }),
    error: t.exposeString('tlsError', {
      nullable: true,
      description: 'Why it is not valid; null when it is.',
    }),
    checkedAt: t.field({
      type: 'DateTime',
      description: 'When this was seen.',
      resolve: (domain) => domain.tlsCheckedAt ?? domain.createdAt,
    }),
  }),
})

export const CustomDomainType = builder.objectRef<CustomDomain>('CustomDomain')
const OrganizationType = builder.objectRef<{ id: string }>('Organization')
const TunnelType = builder.objectRef<{ id: string }>('Tunnel')

CustomDomainType.implement({
  tag: 'public',
  description: 'A DNS name of the customer’s own that leads to a tunnel.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id.' }),
    domain: t.exposeString('domain', { description: 'The name: lower case, IDNA as xn--.' }),
    status: t.field({
      type: DomainStatus,
      description: 'Whether the domain is proven.',
      resolve: (domain) => domain.status,
    }),
    dnsRecords: t.field({
      listSize: { assumedSize: 2 },
      type: [DnsRecordType],
      description: 'The records to set: TXT proves the domain, CNAME leads visitors here.',
      resolve: (domain, _args, { settings }) => dnsRecordsOf(domain, settings.cnameTarget),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was added.' }),
    verifiedAt: t.expose('verifiedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was proven.',
    }),
    lastCheckedAt: t.expose('lastCheckedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When DNS was last asked.',
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'What the last check of DNS found missing.',
    }),
    tls: t.field({
      type: TlsProbeType,
      nullable: true,
      description: 'The last look at the certificate; null before the first.',
      resolve: (domain) => (domain.tlsStatus ? domain : null),
    }),
    organization: t.field({
      type: OrganizationType,
      nullable: true,
      description: 'Whose it is.',
      resolve: ({ organizationId }) => ({ id: organizationId }),
    }),
    tunnel: t.field({
      type: TunnelType,
      nullable: true,
      description: 'Where it leads; null while it leads nowhere.',
      resolve: ({ tunnelId }) => (tunnelId ? { id: tunnelId } : null),
    }),
  }),
})

function dnsRecordsOf(domain: CustomDomain, cnameTarget: string): DnsRecord[] {
  return [
    {
      type: 'TXT',
      name: txtNameOf(domain.domain),
      value: txtValueOf(domain.token),
      purpose: 'Proves that the domain is yours.',
      found: domain.txtFound ?? null,
    },
    {
      type: 'CNAME',
      name: domain.domain,
      value: cnameTarget,
      purpose: 'Leads visitors of the domain to your tunnel.',
      found: domain.cnameFound ?? null,
    },
  ]
}

builder.asEntity(CustomDomainType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, { loaders }) => loaders.domain.load(id),
})

const CustomDomainConnection = connectionType(builder, 'CustomDomain', CustomDomainType, {
  tag: 'public',
})

// Types of other subgraphs are described there: two descriptions of one type would not compose silently.
OrganizationType.implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    customDomains: t.field({
      tag: 'public',
      listSize: pageSize,
      type: CustomDomainConnection,
      nullable: true,
      description: 'Its custom domains, newest first.',
      args: {
        first: t.arg.int({ defaultValue: 25, description: 'How many rows.' }),
        after: t.arg.string({ description: 'The cursor to continue behind.' }),
      },
      resolve: async ({ id }, args, context) => {
        if (!mayReadDomains(context, id)) return null
        const domains = await context.loaders.domainsOfOrganization.load(id)
        return pageOf(args, keysetOf, async (rows, after) => {
          const from = after === null ? 0 : domains.findIndex((one) => isBehind(one, after))
          return from === -1 ? [] : domains.slice(from, from + rows)
        })
      },
    }),
  }),
})
builder.asEntity(OrganizationType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
})

function keysetOf({ createdAt, id }: CustomDomain) {
  return { at: createdAt, id }
}

function isBehind(one: CustomDomain, after: { at: Date; id: string }): boolean {
  const difference = one.createdAt.getTime() - after.at.getTime()
  return difference < 0 || (difference === 0 && one.id < after.id)
}

TunnelType.implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    customDomains: t.field({
      listSize: { assumedSize: 10 },
      type: [CustomDomainType],
      nullable: true,
      description: 'The custom domains that lead to it, at most 50.',
      resolve: ({ id }, _args, { loaders }) => loaders.domainsOfTunnel.load(id),
    }),
  }),
})
builder.asEntity(TunnelType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
})

builder.queryField('customDomain', (t) =>
  t.field({
    tag: 'public',
    type: CustomDomainType,
    nullable: true,
    description: 'One custom domain; null when your organizations have no such domain.',
    args: { id: t.arg.id({ required: true, description: 'The domain’s id.' }) },
    resolve: (_root, { id }, { loaders }) => loaders.domain.load(id),
  }),
)

builder.mutationFields((t) => ({
  addCustomDomain: t.field({
    tag: 'public',
    type: CustomDomainType,
    description: 'Adds a domain, pending until its TXT record is found.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'Who adds it.' }),
      domain: t.arg.string({ required: true, description: 'The name, such as app.example.com.' }),
    },
    resolve: (_root, args, context) => addCustomDomain(context, args),
  }),
  verifyCustomDomain: t.field({
    tag: 'public',
    type: CustomDomainType,
    description: 'Asks DNS for the records now; what is missing is told in `lastError`.',
    args: { id: t.arg.id({ required: true, description: 'The domain’s id.' }) },
    resolve: (_root, { id }, context) => verifyCustomDomain(context, id),
  }),
  attachCustomDomain: t.field({
    tag: 'public',
    type: CustomDomainType,
    description: 'Lets a verified domain lead to a tunnel.',
    args: {
      id: t.arg.id({ required: true, description: 'The domain’s id.' }),
      tunnelId: t.arg.id({ required: true, description: 'A tunnel of the same organization.' }),
    },
    resolve: (_root, args, context) => attachCustomDomain(context, args),
  }),
  detachCustomDomain: t.field({
    tag: 'public',
    type: CustomDomainType,
    description: 'Lets a domain lead nowhere.',
    args: { id: t.arg.id({ required: true, description: 'The domain’s id.' }) },
    resolve: (_root, { id }, context) => detachCustomDomain(context, id),
  }),
  removeCustomDomain: t.field({
    tag: 'public',
    type: 'ID',
    description: 'Removes a domain; returns its id.',
    args: { id: t.arg.id({ required: true, description: 'The domain’s id.' }) },
    resolve: (_root, { id }, context) => removeCustomDomain(context, id),
  }),
}))
