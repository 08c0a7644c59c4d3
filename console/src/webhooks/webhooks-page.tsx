import { Anchor, Button, Stack, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useQuery } from 'urql'

import { WebhookEndpointsDocument } from '../gql/graphql.ts'
import type { WebhookEndpointsQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePlace } from '../shell/organization.ts'
import { Empty } from '../ui/empty.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { Ago } from '../ui/time.tsx'
import { StateWord } from '../ui/tone.tsx'
import { EndpointDialog } from './endpoint-dialog.tsx'
import { EndpointPanel } from './endpoint-panel.tsx'

const route = getRouteApi('/in/o/$slug/webhooks')

const endpointsOf = (data: WebhookEndpointsQuery) => data.organization?.webhookEndpoints
export type Endpoint = NonNullable<ReturnType<typeof endpointsOf>>[number]

export function WebhooksPage() {
  const { organization } = usePlace()
  const { endpoint: chosen } = route.useSearch()
  const navigate = route.useNavigate()
  const [isCreating, creating] = useDisclosure(false)
  const [answer, ask] = useQuery({
    query: WebhookEndpointsDocument,
    variables: { organizationId: organization.id },
  })
  const refetch = () => ask({ requestPolicy: 'network-only' })
  const { data, error, fetching } = answer
  const list = loadedOf(
    { data, error, fetching },
    {
      path: 'organization.webhookEndpoints',
      pick: endpointsOf,
      isEmpty: (endpoints) => endpoints.length === 0,
    },
  )
  const mayChange = organization.viewerPermissions.includes('webhooks.manage')
  const open = (endpoint?: string) =>
    void navigate({ search: endpoint ? { endpoint } : {}, resetScroll: false })

  return (
    <Page
      title="Webhooks"
      about="Have an address of yours told what happens here. Every message is signed, and comes again until it is taken."
      actions={mayChange && <Button onClick={creating.open}>Add an endpoint</Button>}
    >
      <Stack gap="lg">
        <Panel
          of={list}
          isFlush
          onRetry={refetch}
          empty={
            <Empty
              title="No endpoint yet"
              action={mayChange && <Button onClick={creating.open}>Add the first one</Button>}
            >
              <Text size="sm" c="dimmed">
                Add an address that takes POST requests. Messages are verified with any library of
                standardwebhooks.com.
              </Text>
            </Empty>
          }
        >
          {(endpoints) => <EndpointTable endpoints={endpoints} chosen={chosen} />}
        </Panel>
        {list.kind === 'full' &&
          list.value
            .filter(({ id }) => id === chosen)
            .map((endpoint) => (
              <EndpointPanel
                key={endpoint.id}
                endpoint={endpoint}
                mayChange={mayChange}
                onChanged={refetch}
                onDeleted={() => {
                  open()
                  refetch()
                }}
              />
            ))}
      </Stack>
      <EndpointDialog
        isOpen={isCreating}
        onClose={creating.close}
        onDone={(id) => {
          refetch()
          open(id)
        }}
      />
    </Page>
  )
}

function EndpointTable({
  endpoints,
  chosen,
}: {
  endpoints: readonly Endpoint[]
  chosen: string | undefined
}) {
  return (
    <div className="scroll">
      <Table aria-label="Webhook endpoints" miw={720}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Address</Table.Th>
            <Table.Th>Takes</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Created</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {endpoints.map((endpoint) => (
            <Table.Tr key={endpoint.id}>
              <Table.Td>
                <Anchor
                  className="mono"
                  aria-current={endpoint.id === chosen || undefined}
                  renderRoot={(props) => (
                    <Link
                      from="/o/$slug/webhooks"
                      to="."
                      search={{ endpoint: endpoint.id }}
                      resetScroll={false}
                      {...props}
                    />
                  )}
                >
                  {endpoint.url}
                </Anchor>
                {endpoint.description && (
                  <Text size="xs" c="dimmed">
                    {endpoint.description}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                {endpoint.events.length === 1
                  ? endpoint.events[0]
                  : `${endpoint.events.length} events`}
              </Table.Td>
              <Table.Td>
                <EndpointState endpoint={endpoint} />
              </Table.Td>
              <Table.Td>
                <Ago at={endpoint.createdAt} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

const reasons = {
  FAILING: 'It took nothing for 5 days.',
  GONE: 'It answered 410 Gone.',
} as const

function EndpointState({ endpoint }: { endpoint: Endpoint }) {
  const { isEnabled, disabledReason, failingSince } = endpoint
  if (!isEnabled) {
    return (
      <>
        <StateWord tone="none">Off</StateWord>
        {disabledReason && (
          <Text size="xs" c="dimmed">
            {reasons[disabledReason]}
          </Text>
        )}
      </>
    )
  }
  if (!failingSince) return <StateWord tone="good">On</StateWord>
  return (
    <>
      <StateWord tone="bad">Failing</StateWord>
      <Text size="xs" c="dimmed">
        since <Ago at={failingSince} />
      </Text>
    </>
  )
}
