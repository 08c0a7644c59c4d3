import { createHash } from 'node:crypto'

import type { AgentTokenClaims } from '@sluice/schema/claims'
import type { Session } from '@sluice/wire'
import { expect, test } from 'vitest'

import { routeOf, type Asked } from '../route.ts'
import { Sessions, TunnelSession } from '../sessions.ts'
import { SuspendedHosts } from '../suspended-hosts.ts'
import { PasswordChecks } from './password-checks.ts'
import { LimitsOfTunnels } from './tunnel-limits.ts'

const endpointHost = 'app.tunnel.test'
const salt = '00'.repeat(16)
const digest = createHash('sha256').update(Buffer.from(salt, 'hex')).update('right').digest('hex')
const right = `Basic ${Buffer.from('ada:right').toString('base64')}`
const visitorIp = '192.0.2.7'

/** Everything that can be wrong with a request, in the order in which the edge says so. */
const wrongs = ['unknown', 'misdirected', 'credentials', 'address', 'connections', 'rate'] as const
type Wrong = (typeof wrongs)[number]

const answers: Record<Wrong, string> = {
  unknown: 'absent',
  misdirected: 'SLUICE_TLS_MODE_MISMATCH',
  credentials: 'SLUICE_BASIC_AUTH_REQUIRED',
  address: 'SLUICE_IP_DENIED',
  connections: 'SLUICE_CONNECTIONS_MAX',
  rate: 'SLUICE_REQUESTS_MAX',
}

/** How the edge answers a request with all of these wrong, and nothing else. */
function answerTo(...found: readonly Wrong[]): string {
  const is = (wrong: Wrong): boolean => found.includes(wrong)
  const claims: AgentTokenClaims = {
    iss: 'sluice',
    aud: 'sluice:relay',
    jti: 'token',
    iat: 0,
    exp: 0,
    sub: 'authtoken',
    organizationId: 'organization',
    tunnelId: 'tunnel',
    kind: 'http',
    endpointHosts: [endpointHost],
    tlsMode: 'terminate',
    region: 'local',
    epoch: 1,
    maxConcurrentConns: 1,
    policy: {
      basicAuth: [{ user: 'ada', verifier: `sha256:${salt}:${digest}` }],
      denyIps: is('address') ? ['192.0.2.0/24'] : ['198.51.100.0/24'],
      requestRate: { perSecond: 0.001, burst: 1 },
    },
  }
  const limits = new LimitsOfTunnels({ relayId: 'relay', redis: undefined, flush: () => undefined })
  const sessions = new Sessions(limits)
  const session = { accepting: true } as Session
  const tunnel = new TunnelSession('session', session, claims, 'test')
  if (!is('unknown')) sessions.open(tunnel)
  if (is('connections')) tunnel.active = 1
  if (is('rate')) tunnel.limits.rate?.take()
  const asked: Asked = {
    endpointHost,
    tls: { serverName: is('misdirected') ? 'other.tunnel.test' : endpointHost } as Asked['tls'],
    redirects: false,
    authorization: is('credentials') ? undefined : right,
    visitorIp,
  }
  const route = routeOf(asked, {
    sessions,
    edgeHost: 'edge.tunnel.test',
    consoleHost: undefined,
    suspendedHosts: new SuspendedHosts(),
    passwordChecks: new PasswordChecks(),
    draining: () => false,
  })
  return route.kind === 'refuse' ? route.code : route.kind
}

test('a request with nothing wrong goes to the tunnel', () => {
  expect(answerTo()).toBe('tunnel')
})

test.for(wrongs)('%s has its own answer', (wrong) => {
  expect(answerTo(wrong)).toBe(answers[wrong])
})

const pairs = wrongs.flatMap((first, index) =>
  wrongs.slice(index + 1).map((second) => [first, second] as const),
)

test.for(pairs)('of %s and %s the first is the answer', ([first, second]) => {
  expect(answerTo(first, second)).toBe(answers[first])
})

test('the whole list at once is answered by its first', () => {
  expect(answerTo(...wrongs)).toBe('absent')
})
