import { Anchor, Button, Group, Stack, Tabs, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useQuery } from 'urql'

import { TunnelsDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { Copy } from '../ui/copy.tsx'
import { Page } from '../ui/page.tsx'
import { curlOf, examples, graphiqlOf, typescriptOf } from './examples.ts'
import type { Example, ExampleIds } from './examples.ts'

/** How to use the public graph: examples that run as they are, for this organization and server. */
export function PartnersPage() {
  const { organization } = usePlace()
  const { slug, id: organizationId } = organization
  const [{ data }] = useQuery({ query: TunnelsDocument, variables: { organizationId } })
  const ids = { organizationId, tunnelId: data?.organization?.tunnels?.nodes[0]?.id ?? null }
  return (
    <Page
      title="Partner API"
      about="Everything partners and your own programs may do here, over GraphQL. It is a contract: what is in it stays, or is deprecated first."
      actions={
        <Button component="a" href="/public/graphiql" target="_blank" rel="noreferrer">
          Open GraphiQL
        </Button>
      }
    >
      <Stack gap="lg">
        <section className="panel">
          <div className="panel-head">
            <Title order={2}>Before the first request</Title>
          </div>
          <div className="panel-body">
            <Text size="sm">
              Requests go to <code>{location.origin}/public/graphql</code> with an{' '}
              <Anchor
                underline="always"
                renderRoot={(props) => <Link to="/o/$slug/api-keys" params={{ slug }} {...props} />}
              >
                API key
              </Anchor>{' '}
              of this organization in the header <code>authorization</code>. Each answer says in{' '}
              <code>extensions.cost</code> what it has cost, and in the headers{' '}
              <code>RateLimit</code> and <code>RateLimit-Policy</code> what is left of the minute.
              To be told what happens instead of asking, add a{' '}
              <Anchor
                underline="always"
                renderRoot={(props) => <Link to="/o/$slug/webhooks" params={{ slug }} {...props} />}
              >
                webhook
              </Anchor>
              .
            </Text>
          </div>
        </section>
        {examples.map((example) => (
          <ExamplePanel key={example.title} example={example} ids={ids} />
        ))}
      </Stack>
    </Page>
  )
}

interface Props {
  readonly example: Example
  readonly ids: ExampleIds
}

function ExamplePanel({ example, ids }: Props) {
  const variables = example.variables(ids)
  const forms = [
    { name: 'GraphQL', text: example.text },
    { name: 'Variables', text: JSON.stringify(variables, null, 2) },
    { name: 'curl', text: curlOf(example, variables, location.origin) },
    { name: 'TypeScript', text: typescriptOf(example, variables, location.origin) },
  ]
  return (
    <section className="panel" aria-label={example.title}>
      <div className="panel-head">
        <Title order={2}>{example.title}</Title>
        <Group gap="xs">
          <Button
            component="a"
            href={graphiqlOf(example)}
            target="_blank"
            rel="noreferrer"
            variant="default"
            size="xs"
            aria-label={`Try it: ${example.title}`}
          >
            Try it
          </Button>
        </Group>
      </div>
      <div className="panel-body">
        <Text size="sm" mb="sm">
          {example.about}
        </Text>
        <Tabs defaultValue="GraphQL" keepMounted={false}>
          <Tabs.List>
            {forms.map(({ name }) => (
              <Tabs.Tab key={name} value={name}>
                {name}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {forms.map(({ name, text }) => (
            <Tabs.Panel key={name} value={name} pt="sm">
              <Group align="flex-start" wrap="nowrap" justify="space-between">
                <pre className="mono" style={{ margin: 0, overflowX: 'auto' }} tabIndex={0}>
                  {text}
                </pre>
                <Copy value={text} what={`the ${name}`} />
              </Group>
            </Tabs.Panel>
          ))}
        </Tabs>
      </div>
    </section>
  )
}
