import { Button, Group, List, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'

import { ScimDocument } from '../gql/graphql.ts'
import type { ScimQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { usePlace } from '../shell/organization.ts'
import { Command } from '../ui/copy.tsx'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { CallTable } from './call-table.tsx'
import { CreateToken } from './create-token.tsx'
import { GroupTable } from './group-table.tsx'
import { TokenTable } from './token-table.tsx'

const scimOf = (data: ScimQuery | undefined) => data?.organization?.scim
const groupsOf = (data: ScimQuery) => scimOf(data)?.groups

/** How an identity provider brings people and groups here, and takes them out again. */
export function ScimPage() {
  const { organization } = usePlace()
  const [isCreating, creating] = useDisclosure(false)
  const variables = { organizationId: organization.id }
  const pages = usePages({ document: ScimDocument, variables, pick: groupsOf })
  const { refetch, fetching } = pages
  const tokens = loadedOf(pages, {
    path: 'organization.scim.tokens',
    pick: (all) => scimOf(all)?.tokens,
    isEmpty: (list) => list.length === 0,
  })
  const groups = loadedOf(pages, {
    path: 'organization.scim.groups',
    pick: () => pages.nodes,
    isEmpty: (list) => list.length === 0,
  })
  const calls = loadedOf(pages, {
    path: 'organization.scim.calls',
    pick: (all) => scimOf(all)?.calls,
    isEmpty: (list) => list.length === 0,
  })
  const scim = loadedOf(pages, { path: 'organization.scim', pick: scimOf })
  const create = <Button onClick={creating.open}>Create a token</Button>

  return (
    <Page
      title="SCIM"
      about="Your identity provider adds people, gives them roles by their groups, and takes them out at once when they leave."
      actions={create}
    >
      <Stack>
        <Panel title="Your identity provider needs" of={scim} onRetry={refetch} skeletonRows={2}>
          {({ baseUrl, people }) => (
            <Stack gap="sm">
              <Text size="sm">The base URL of this server (Entra calls it the tenant URL):</Text>
              <Command isPlain what="the base URL">
                {baseUrl}
              </Command>
              <List size="sm" spacing={2}>
                <List.Item>a token, sent as a bearer token in the Authorization header</List.Item>
                <List.Item>userName as the field that identifies people</List.Item>
              </List>
              <Text size="sm" c="dimmed">
                {people === 1 ? 'One person' : `${people} people`} sent so far.
              </Text>
            </Stack>
          )}
        </Panel>
        <Panel
          title="Tokens"
          of={tokens}
          isFlush
          onRetry={refetch}
          empty={
            <Empty title="No token yet" action={create}>
              <Text size="sm" c="dimmed">
                A token manages the people of this organization, and nothing else.
              </Text>
            </Empty>
          }
        >
          {(list) => <TokenTable tokens={list} onChanged={refetch} />}
        </Panel>
        <Panel
          title="Groups and their roles"
          of={groups}
          isFlush
          onRetry={refetch}
          empty={
            <Empty title="No group yet">
              <Text size="sm" c="dimmed">
                Groups appear here once the identity provider pushes them. Until then its people are
                viewers.
              </Text>
            </Empty>
          }
        >
          {(list) => (
            <>
              <GroupTable groups={list} onChanged={refetch} />
              <LoadMore {...pages} count={list.length} what={['group', 'groups']} />
            </>
          )}
        </Panel>
        <Panel
          title="Last requests"
          of={calls}
          isFlush
          onRetry={refetch}
          empty={
            <Empty title="Nothing has been asked yet">
              <Text size="sm" c="dimmed">
                Test the connection in your identity provider: its requests appear here.
              </Text>
            </Empty>
          }
        >
          {(list) => (
            <>
              <CallTable calls={list} />
              <Group justify="flex-end" p="sm">
                <Button variant="default" size="xs" onClick={refetch} loading={fetching}>
                  Refresh
                </Button>
              </Group>
            </>
          )}
        </Panel>
      </Stack>
      <CreateToken isOpen={isCreating} onClose={creating.close} onCreated={refetch} />
    </Page>
  )
}

type Scim = NonNullable<ReturnType<typeof scimOf>>
export type ScimToken = Scim['tokens'][number]
export type ScimGroup = Scim['groups']['nodes'][number]
export type ScimCall = Scim['calls'][number]
