import * as z from 'zod/mini'

/** The project file’s shape: what `sluice config check` holds it against, and what editors get as JSON Schema. */

export const projectVersion = 1
const tunnelsMax = 100
const entriesMax = 200
const textLengthMax = 4096

/** Values that are never written into the file itself, and so never interpolated: only where they stand. */
export const secretKeys: ReadonlySet<string> = new Set([
  'authtoken',
  'basic-auth',
  'webhook-secret',
])
const secretForm = /^(?:env:[A-Za-z_][A-Za-z0-9_]*|\$\{[A-Za-z_][A-Za-z0-9_]*\}|@.+)$/

const described = <Schema extends z.core.$ZodType>(schema: Schema, description: string): Schema => {
  z.globalRegistry.add(schema, { description })
  return schema
}

const text = (expected: string) =>
  z.string(expected).check(z.minLength(1, expected), z.maxLength(textLengthMax, expected))
const port = (expected: string) =>
  z.number(expected).check(z.int(expected), z.gte(1, expected), z.lte(65_535, expected))
const list = <Schema extends z.core.$ZodType>(entry: Schema, expected: string) =>
  z.array(entry, expected).check(z.maxLength(entriesMax, `at most ${entriesMax} entries`))
const secret = z
  .string('env:NAME, ${NAME} or @file')
  .check(z.regex(secretForm, 'env:NAME, ${NAME} or @file: a secret does not stand in this file'))
const onOff = z.boolean('true or false')

const Tunnel = z.strictObject(
  {
    proto: described(
      z.optional(z.enum(['http', 'tcp', 'tls', 'udp'], 'http, tcp, tls or udp')),
      'What the tunnel carries; http when it is absent.',
    ),
    target: described(
      z.union(
        [port('a port from 1 to 65535'), text('a port, host:port, http://host:port')],
        'a port, host:port, http://host:port or https://host:port',
      ),
      'Where requests go: 3000, host:3000, http://host:3000 or https://host:3000; h2c:// and h2:// where HTTP/2 is spoken.',
    ),
    name: described(
      z.optional(text('a name')),
      'The name in the public address; the name of the entry when it is absent.',
    ),
    region: described(z.optional(text('a region')), 'Where the relay stands.'),
    pooling: described(
      z.optional(onOff),
      'Serves together with other agents that say so, instead of taking over.',
    ),
    port: described(
      z.optional(port('a port from 1 to 65535')),
      'The public port of a tcp or udp tunnel; a free one when it is absent.',
    ),
    'proxy-protocol': described(
      z.optional(z.union([z.literal(1), z.literal(2)], '1 or 2')),
      'Tells the service who the visitor is before all other bytes: 1 (text) or 2 (binary); not udp.',
    ),
    'host-header': described(
      z.optional(text('preserve, rewrite or a host name')),
      'Host sent to the service: preserve, rewrite, or a name.',
    ),
    'basic-auth': described(
      z.optional(list(secret, 'a list')),
      'Who may visit, each as env:NAME, ${NAME} (user:password in a variable) or @file (one per line).',
    ),
    'allow-ip': described(
      z.optional(list(text('an address or a block'), 'a list')),
      'Addresses or CIDR blocks that may visit; empty for all.',
    ),
    'deny-ip': described(
      z.optional(list(text('an address or a block'), 'a list')),
      'Addresses or CIDR blocks that may not visit.',
    ),
    'upstream-protocol': described(
      z.optional(z.enum(['http1', 'http2'], 'http1 or http2')),
      'What the service speaks; http2 is for gRPC, too.',
    ),
    'rate-limit': described(
      z.optional(text('50/s, 100/m or 50/s:200')),
      'Requests per second, minute or hour, over all relays; behind a colon how many at once.',
    ),
    bandwidth: described(
      z.optional(text('bytes per second: 500kb, 10mb')),
      'Bytes per second, both directions together.',
    ),
    'request-header': described(
      z.optional(list(text('Name: value'), 'a list')),
      'Headers added to requests; env:NAME as the value reads a variable.',
    ),
    'response-header': described(
      z.optional(list(text('Name: value'), 'a list')),
      'Headers added to responses.',
    ),
    'remove-request-header': described(
      z.optional(list(text('a header name'), 'a list')),
      'Headers taken out of requests.',
    ),
    'remove-response-header': described(
      z.optional(list(text('a header name'), 'a list')),
      'Headers taken out of responses.',
    ),
    compress: described(z.optional(onOff), 'Whether the edge compresses text.'),
    'verify-webhook': described(
      z.optional(
        z
          .string('PROVIDER=env:NAME or PROVIDER=@file')
          .check(z.regex(/^[a-z]+(?:=(?:env:|@).+)?$/, 'PROVIDER=env:NAME or PROVIDER=@file')),
      ),
      'Lets only requests pass that this provider has signed: stripe=env:NAME or stripe=@file.',
    ),
    'visitor-ca': described(
      z.optional(text('a path')),
      'PEM file of authorities: visitors must show a certificate that one of them has signed; the path is seen from this file.',
    ),
    inspect: described(z.optional(onOff), 'Whether the local inspector keeps its requests.'),
  },
  'a tunnel: a mapping with a target',
)

const Agent = z.strictObject(
  {
    server: described(
      z.optional(text('the address of the server')),
      'The Sluice server: the console’s address.',
    ),
    authtoken: described(
      z.optional(secret),
      'Where the authtoken stands; without it the one of sluice login.',
    ),
    ca: described(
      z.optional(text('a path')),
      'PEM certificates to trust instead of the system’s; the path is seen from this file.',
    ),
    proxy: described(
      z.optional(text('http://host:port')),
      'HTTP CONNECT proxy to server and relay; without it HTTPS_PROXY counts.',
    ),
    'allow-target': described(
      z.optional(list(text('an address or a block'), 'a list')),
      'Link-local and metadata addresses that targets may lead to all the same.',
    ),
    inspect: described(z.optional(onOff), 'Whether there is a local inspector page.'),
    'inspect-port': described(
      z.optional(port('a port from 1 to 65535')),
      'Where the inspector page listens; 4040 or the next free port when it is absent.',
    ),
  },
  'a mapping',
)

export const ProjectShape = z.strictObject(
  {
    version: z.literal(projectVersion, `version: ${projectVersion}`),
    agent: described(z.optional(Agent), 'Settings of the program itself.'),
    tunnels: described(
      z
        .record(
          z
            .string()
            .check(
              z.regex(
                /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
                'lower-case letters, digits and hyphens',
              ),
            ),
          Tunnel,
          'a mapping of tunnels by name',
        )
        .check(
          z.refine(
            (tunnels) => Object.keys(tunnels).length <= tunnelsMax,
            `at most ${tunnelsMax} tunnels`,
          ),
        ),
      'The tunnels by name.',
    ),
  },
  'a mapping with version and tunnels',
)

export type ProjectValues = z.infer<typeof ProjectShape>
export type TunnelValues = ProjectValues['tunnels'][string]

/** Keys of a tunnel that are its policy: one of them, even empty, replaces the stored policy. */
export const policyKeys = [
  'basic-auth',
  'allow-ip',
  'deny-ip',
  'rate-limit',
  'bandwidth',
  'request-header',
  'response-header',
  'remove-request-header',
  'remove-response-header',
  'compress',
  'verify-webhook',
  'visitor-ca',
] as const satisfies readonly (keyof TunnelValues)[]

/** Keys that mean something for tunnels of this kind. */
export function isKeyOfKind(key: string, kind: string): boolean {
  if (key === 'port') return kind === 'tcp' || kind === 'udp'
  if (key === 'proxy-protocol') return kind !== 'udp'
  return kind === 'http' || commonKeys.has(key)
}

const commonKeys = new Set([
  'proto',
  'target',
  'name',
  'region',
  'pooling',
  'allow-ip',
  'deny-ip',
  'rate-limit',
  'bandwidth',
])

/** Keys that a mapping of the file may have, for the hint beside an unknown one. */
export function keysOf(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(ProjectShape.def.shape)
  if (path[0] === 'agent') return Object.keys(Agent.def.shape)
  return Object.keys(Tunnel.def.shape)
}

/** For editors: `# yaml-language-server: $schema=…`. */
export function projectJsonSchema(): object {
  return {
    $id: 'https://docs.sluice.dev/schema/sluice.v1.json',
    title: 'Sluice project file',
    ...z.toJSONSchema(ProjectShape, { io: 'input' }),
  }
}
