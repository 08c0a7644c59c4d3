import {
  AddDomainDocument,
  CreateTunnelDocument,
  CreateWebhookEndpointDocument,
  ListRequestsDocument,
  ListTunnelsDocument,
  ListWebhookDeliveriesDocument,
  UsageDocument,
  WhoamiDocument,
} from '@sluice/client'
import { parse, print } from 'graphql'

/** What the examples name of the organization, so that they run as they are printed. */
export interface ExampleIds {
  readonly organizationId: string
  /** The newest tunnel; null while there is none. */
  readonly tunnelId: string | null
}

export interface Example {
  readonly title: string
  readonly about: string
  /** The operation, as the client of `@sluice/client` sends it. */
  readonly text: string
  readonly variables: (ids: ExampleIds) => Readonly<Record<string, unknown>>
}

/** As a person writes it, not as the generator has it. */
const textOf = (document: { toString(): string }) => print(parse(document.toString()))

export const examples: readonly Example[] = [
  {
    title: 'Who am I?',
    about: 'The organization that the API key belongs to, and its plan.',
    text: textOf(WhoamiDocument),
    variables: () => ({}),
  },
  {
    title: 'List tunnels',
    about: 'A page of tunnels, newest first. Pass endCursor as after to continue.',
    text: textOf(ListTunnelsDocument),
    variables: ({ organizationId }) => ({ organizationId, first: 10 }),
  },
  {
    title: 'Create a tunnel',
    about: 'It stands still until an agent starts it.',
    text: textOf(CreateTunnelDocument),
    variables: ({ organizationId }) => ({ organizationId, input: { name: 'from-partner' } }),
  },
  {
    title: 'Read the request log',
    about: 'What visitors asked of a tunnel; here what failed.',
    text: textOf(ListRequestsDocument),
    variables: ({ tunnelId }) => ({
      tunnelId: tunnelId ?? 'the id of a tunnel',
      filter: { statusMin: 500 },
    }),
  },
  {
    title: 'Add a custom domain',
    about: 'Answers the DNS records to set; verify it when they are there.',
    text: textOf(AddDomainDocument),
    variables: ({ organizationId }) => ({ organizationId, domain: 'app.example.com' }),
  },
  {
    title: 'Usage',
    about: 'What was used of the plan in the current period.',
    text: textOf(UsageDocument),
    variables: ({ organizationId }) => ({ organizationId }),
  },
  {
    title: 'Be told what happens',
    about: 'Adds a webhook endpoint. The secret verifies its messages and is shown this once.',
    text: textOf(CreateWebhookEndpointDocument),
    variables: ({ organizationId }) => ({
      organizationId,
      input: {
        url: 'https://example.com/hooks/sluice',
        events: ['tunnel.online', 'tunnel.offline'],
      },
    }),
  },
  {
    title: 'Look at webhook deliveries',
    about: 'The newest messages of each endpoint, and how it answered.',
    text: textOf(ListWebhookDeliveriesDocument),
    variables: ({ organizationId }) => ({ organizationId }),
  },
]

export function curlOf(
  { text }: Example,
  variables: Readonly<Record<string, unknown>>,
  origin: string,
): string {
  const query = text.replaceAll(/\s+/g, ' ')
  // A quote inside would end the shell's: JSON may say it by its number.
  const body = JSON.stringify({ query, variables }).replaceAll("'", String.raw`\u0027`)
  return [
    `curl ${origin}/public/graphql \\`,
    `  -H "authorization: Bearer $SLUICE_API_KEY" \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '${body}'`,
  ].join('\n')
}

export function typescriptOf(
  { text }: Example,
  variables: Readonly<Record<string, unknown>>,
  origin: string,
): string {
  const name = /(?:query|mutation) (\w+)/.exec(text)?.[1] ?? ''
  return [
    `import { createClient, ${name}Document } from '@sluice/client'`,
    '',
    `const run = createClient({ server: '${origin}', apiKey: process.env.SLUICE_API_KEY ?? '' })`,
    `const data = await run(${name}Document, ${JSON.stringify(variables, null, 2)})`,
  ].join('\n')
}

/** GraphiQL with the operation in it. */
export function graphiqlOf({ text }: Example): string {
  return `/public/graphiql#${encodeURIComponent(text)}`
}
