import { SluiceError, problemOf } from '@sluice/schema/errors'
import type { ErrorCode } from '@sluice/schema/errors'
import { GraphQLError } from 'graphql'

import type { FixtureApiKey } from './machines-world.ts'
import { filledEndpoints } from './webhooks-data.ts'

const nowMs = Date.now()
export const ago = (seconds: number) => new Date(nowMs - seconds * 1000).toISOString()

/** A failure as the gateway sends it. */
export const failure = (code: ErrorCode, details = {}) => {
  const error = new SluiceError(code, details)
  return new GraphQLError(error.message, { extensions: problemOf(error) })
}

export const password = 'correct horse battery'

export const ada = { id: 'u1', name: 'Ada Lovelace', email: 'ada@example.com' }
const grace = { id: 'u2', name: 'Grace Hopper', email: 'grace@example.com' }

export function tunnelOf(id: string, name: string, status: string) {
  const endpointHost = `${name}.tunnel.localhost`
  return {
    id,
    name,
    kind: 'HTTP',
    port: null as number | null,
    endpointHost,
    urls: [`http://${endpointHost}:8080`, `https://${endpointHost}:8443`],
    status,
    region: 'local',
    createdAt: ago(86_400 * 4),
    startedAt: status === 'STOPPED' ? null : ago(5_400),
    onlineSince: status === 'ONLINE' ? ago(5_300) : null,
    connections: status === 'ONLINE' ? 3 : 0,
    hostHeader: null as string | null,
    captureBodies: false,
    policy: openPolicy(),
    owner: ada,
  }
}

/** A policy as the graph shows it: secrets are not in it. */
export function openPolicy() {
  return {
    basicAuthUsers: [] as string[],
    allowIps: [] as string[],
    denyIps: [] as string[],
    requestRate: null as { perSecond: number; burst: number } | null,
    bandwidthBytesPerSecond: null as number | null,
    requestHeaders: { add: [] as { name: string; value: string }[], remove: [] as string[] },
    responseHeaders: { add: [] as { name: string; value: string }[], remove: [] as string[] },
    compression: false,
    webhookProvider: null as string | null,
    visitorCa: null as string | null,
  }
}

export type FixtureTunnel = ReturnType<typeof tunnelOf>

export function requestOf(number: number, changes: object = {}) {
  const id = `01980000-0000-7000-8000-${String(number).padStart(12, '0')}`
  return {
    id,
    method: 'GET',
    path: `/api/orders/${number}`,
    status: 200,
    code: null as string | null,
    protocol: 'HTTP/1.1',
    endpointHost: 'calm-otter.tunnel.localhost',
    visitorIp: '203.0.113.7',
    startedAt: new Date(nowMs - 600_000 + number * 1_000).toISOString(),
    durationMs: 42.4,
    firstByteMs: 31.2,
    requestBytes: 412,
    responseBytes: 18_230,
    requestHeaders: [
      { name: 'Host', value: 'calm-otter.tunnel.localhost:8080' },
      { name: 'User-Agent', value: 'Mozilla/5.0 (X11; Linux x86_64)' },
      { name: 'Authorization', value: '[redacted]' },
    ],
    responseHeaders: [
      { name: 'Content-Type', value: 'application/json; charset=utf-8' },
      { name: 'Cache-Control', value: 'no-store' },
    ],
    requestBody: null,
    responseBody: {
      contentType: 'application/json',
      bytes: 37,
      truncated: false,
      text: '{"order":7,"<script>":"stays a text"}',
      base64: 'eyJvcmRlciI6N30=',
    },
    ...changes,
  }
}

export const entitlements = {
  maxTunnels: 10,
  maxConcurrentConnections: 100,
  maxCustomDomains: 3,
  portTunnels: false,
  maxMembers: 5,
  requestsPerPeriod: 100_000,
  bytesPerPeriod: 10 * 1024 ** 3,
  requestLogDays: 3,
}

export const plans = [
  ['free', 'Free', 'For trying it out.', 0, 1],
  ['starter', 'Starter', 'For one developer.', 900, 2],
  ['pro', 'Pro', 'For a team.', 2_900, 10],
  ['business', 'Business', 'For products that depend on it.', 9_900, 50],
].map(([id, name, description, monthlyPriceMinor, factor]) => ({
  id: String(id),
  name: String(name),
  description: String(description),
  monthlyPriceMinor: Number(monthlyPriceMinor),
  currency: 'EUR',
  entitlements: {
    ...entitlements,
    maxTunnels: 5 * Number(factor),
    requestsPerPeriod: 100_000 * Number(factor),
    bytesPerPeriod: 10 * 1024 ** 3 * Number(factor),
  },
}))

export function filledData() {
  return {
    tunnels: [
      tunnelOf('t1', 'calm-otter', 'ONLINE'),
      tunnelOf('t2', 'staging-api', 'OFFLINE'),
      tunnelOf('t3', 'webhook-demo', 'STOPPED'),
    ],
    requests: Array.from({ length: 60 }, (_, index) =>
      requestOf(
        index,
        [
          {},
          { method: 'POST', path: '/hooks/stripe?delivery=3f1c', status: 204, responseBytes: 0 },
          { status: 304, path: '/assets/app.css' },
          { status: 404, path: '/favicon.ico' },
          { method: 'PUT', status: 502, code: 'SLUICE_UPSTREAM_REFUSED', firstByteMs: null },
        ][index % 5],
      ),
    ).toReversed(),
    webhookEndpoints: filledEndpoints(ago),
    authtokens: [
      {
        id: 'a1',
        name: 'laptop',
        prefix: 'slt_4hT9',
        scopes: ['TUNNELS_START', 'TUNNELS_READ', 'REQUESTS_READ'],
        createdAt: ago(86_400 * 20),
        createdBy: ada,
        lastUsedAt: ago(95) as string | null,
        serviceAccount: null as { id: string; name: string } | null,
        expiresAt: ago(-86_400 * 3) as string | null,
        allowedIps: ['198.51.100.0/24'] as string[],
        lastUsedIp: '198.51.100.23' as string | null,
        revokedAt: null as string | null,
        successorId: null as string | null,
      },
      {
        id: 'a2',
        name: 'build server',
        prefix: 'slt_9xQ2',
        scopes: ['REQUESTS_READ'],
        createdAt: ago(86_400 * 50),
        createdBy: grace,
        lastUsedAt: null,
        serviceAccount: null,
        expiresAt: null,
        allowedIps: [],
        lastUsedIp: null,
        revokedAt: ago(86_400 * 2),
        successorId: null,
      },
    ],
    ...machines(),
    ...people(),
    domains: [
      {
        id: 'd1',
        domain: 'app.example.com',
        status: 'VERIFIED',
        createdAt: ago(86_400 * 9),
        verifiedAt: ago(86_400 * 8) as string | null,
        lastCheckedAt: ago(1_200),
        lastError: null as string | null,
        dnsRecords: recordsOf('app.example.com', true),
        tls: {
          status: 'VALID',
          expiresAt: ago(-86_400 * 61),
          issuer: 'Example CA',
          error: null,
          checkedAt: ago(1_200),
        } as object | null,
        certificate: {
          source: 'UPLOADED',
          fingerprint: 'c0ffee'.repeat(10).padEnd(64, '0'),
          issuer: 'Example CA',
          names: ['app.example.com'],
          expiresAt: ago(-86_400 * 61),
        } as object | null,
        tunnel: { id: 't1', name: 'calm-otter' } as { id: string; name: string } | null,
      },
      {
        id: 'd2',
        domain: 'hooks.example.com',
        status: 'PENDING',
        createdAt: ago(3_600),
        verifiedAt: null,
        lastCheckedAt: ago(180),
        lastError: 'The TXT record is not in DNS yet.',
        dnsRecords: recordsOf('hooks.example.com', false),
        tls: null,
        certificate: null,
        tunnel: null,
      },
    ],
    auditEntries: [
      entryOf('e1', 'authtoken.created', 'authtoken', 'a1', 120),
      entryOf('e2', 'member.added', 'member', 'm2', 86_400 * 9),
      entryOf('e3', 'sign-in.succeeded', 'user', 'u1', 86_400 * 10),
    ],
    signIns: [
      signInOf('s1', 'Firefox on Linux', '198.51.100.23', true),
      signInOf('s2', 'Safari on iOS', '2001:db8::17', false),
      signInOf('s3', 'Chrome on Windows', '203.0.113.40', false),
    ],
    mails: [
      mailOf('k1', 'verify-email', ada.email, 'KEPT'),
      mailOf('k2', 'password-changed', grace.email, 'SENT'),
      mailOf('k3', 'reset-password', 'full@example.com', 'FAILED'),
    ],
    plans,
    usage: {
      periodStart: ago(86_400 * 20),
      periodEnd: ago(-86_400 * 10),
      tunnels: { used: 3, limit: 10 },
      requests: { used: 84_210, limit: 100_000 },
      bytes: { used: 10.4 * 1024 ** 3, limit: 10 * 1024 ** 3 },
    },
  }
}

export function recordsOf(domain: string, found: boolean) {
  return [
    {
      type: 'TXT',
      name: `_sluice-challenge.${domain}`,
      value: 'sluice-verify=7Jq2mXcV0aYtR4nL',
      purpose: 'Proves that the domain is yours.',
      found,
    },
    {
      type: 'CNAME',
      name: domain,
      value: 'edge.tunnel.localhost',
      purpose: 'Leads visitors to the edge.',
      found: found ? true : null,
    },
  ]
}

function signInOf(id: string, device: string, ip: string, isCurrent: boolean) {
  const place = isCurrent ? 'Berlin, Germany' : null
  return { id, device, ip, place, startedAt: ago(86_400 * 3), lastUsedAt: ago(600), isCurrent }
}

function mailOf(id: string, kind: string, address: string, state: string) {
  const link = 'https://elsewhere.example.com/confirm-email#token'
  return {
    id,
    kind,
    address,
    state,
    createdAt: ago(300),
    attempts: state === 'FAILED' ? 8 : 1,
    lastError: state === 'FAILED' ? '450 mailbox full' : null,
    subject: state === 'KEPT' ? 'Confirm your email address – Sluice' : null,
    text: state === 'KEPT' ? `To confirm, open:\n\n${link}\n\n<b>stays a text</b>\n` : null,
  }
}

function entryOf(id: string, action: string, targetType: string, targetId: string, age: number) {
  return {
    id,
    action,
    actorKind: 'USER',
    actorName: ada.name,
    actor: ada,
    targetType,
    targetId,
    details: action === 'member.added' ? 'role DEVELOPER' : null,
    ip: '198.51.100.23',
    at: ago(age),
  }
}

/** The programs of the organization, and what partners ask with. */
function machines() {
  return {
    serviceAccounts: [
      {
        id: 'sa1',
        name: 'nightly report',
        role: 'VIEWER',
        customRole: null as { id: string; name: string } | null,
        createdAt: ago(86_400 * 30),
        disabledAt: null as string | null,
      },
    ],
    apiKeys: [
      {
        id: 'k1',
        name: 'status page',
        prefix: 'slk_7Rw2Qe',
        permissions: ['tunnels.read', 'domains.read', 'requests.read'],
        requestsPerMinute: 120,
        createdAt: ago(86_400 * 40),
        createdBy: null,
        makerHolds: false,
        serviceAccount: null,
        expiresAt: ago(-86_400 * 5),
        allowedIps: ['203.0.113.0/24', '2001:db8::/32'],
        lastUsedAt: ago(240),
        lastUsedIp: '203.0.113.9',
        revokedAt: null,
        successorId: null,
      },
    ] as FixtureApiKey[],
  }
}

/** Who is in the organization, and who is asked to be. */
function people() {
  return {
    organizationName: 'Acme',
    members: [
      {
        id: 'm1',
        user: ada,
        role: 'OWNER',
        customRole: null as { id: string; name: string } | null,
        joinedAt: ago(86_400 * 60),
      },
      { id: 'm2', user: grace, role: 'DEVELOPER', customRole: null, joinedAt: ago(86_400 * 9) },
    ],
    roles: [
      {
        id: 'r1',
        name: 'Support',
        description: 'Looks, and answers mail',
        permissions: ['organization.read', 'members.read', 'tunnels.read'],
        updatedAt: ago(86_400),
      },
    ],
    invitations: [
      {
        id: 'i1',
        email: 'edsger@example.com',
        role: 'DEVELOPER',
        customRole: null as { id: string; name: string } | null,
        invitedBy: ada as typeof ada | null,
        createdAt: ago(86_400 * 2),
        sentAt: ago(86_400 * 2),
        expiresAt: ago(-86_400 * 5),
        isExpired: false,
      },
    ],
  }
}

export type Data = ReturnType<typeof filledData>

export const emptyData = (): Data => ({
  ...filledData(),
  tunnels: [],
  requests: [],
  authtokens: [],
  apiKeys: [],
  serviceAccounts: [],
  members: [],
  roles: [],
  webhookEndpoints: [],
  invitations: [],
  domains: [],
  auditEntries: [],
  mails: [],
  plans: [],
})
