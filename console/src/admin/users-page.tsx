import { Table, Text } from '@mantine/core'
import { getRouteApi, Link } from '@tanstack/react-router'

import { AdminUsersDocument } from '../gql/graphql.ts'
import type { AdminUsersQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { Ago } from '../ui/time.tsx'
import { StateWord } from '../ui/tone.tsx'
import { SearchField, useSearch } from './search-list.tsx'

const usersOf = (data: AdminUsersQuery) => data.staffUsers

const route = getRouteApi('/in/admin/users')

/** Everybody with an account, for staff. */
export function UsersPage() {
  const navigate = route.useNavigate()
  const { typed, setTyped, search } = useSearch(route.useSearch().search, (wanted) => {
    void navigate({ search: { search: wanted }, replace: true, resetScroll: false })
  })
  const pages = usePages({ document: AdminUsersDocument, variables: { search }, pick: usersOf })
  const list = loadedOf(pages, {
    path: 'staffUsers',
    pick: () => pages.nodes,
    isEmpty: (users) => users.length === 0,
  })
  return (
    <Page title="Users" about="Everybody with an account on this server.">
      <SearchField label="Search by name, address or id" typed={typed} onType={setTyped} />
      <Panel
        of={list}
        isFlush
        onRetry={pages.refetch}
        empty={<Empty title="Nobody like that">Try a part of the name or address.</Empty>}
      >
        {(users) => (
          <>
            <div className="scroll">
              <Table aria-label="Users" miw={640}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Name</Table.Th>
                    <Table.Th>Address</Table.Th>
                    <Table.Th>State</Table.Th>
                    <Table.Th>Signed up</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {users.map((user) => (
                    <Table.Tr key={user.id}>
                      <Table.Td>
                        <Link to="/admin/users/$userId" params={{ userId: user.id }}>
                          {user.name}
                        </Link>
                        {user.isAdmin && (
                          <Text size="xs" c="dimmed" component="span">
                            {' '}
                            staff
                          </Text>
                        )}
                      </Table.Td>
                      <Table.Td className="whole">{user.email}</Table.Td>
                      <Table.Td>
                        <SuspensionWord of={user} />
                      </Table.Td>
                      <Table.Td>
                        <Ago at={user.createdAt} />
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </div>
            <LoadMore {...pages} count={users.length} what={['user', 'users']} />
          </>
        )}
      </Panel>
    </Page>
  )
}

export function SuspensionWord({ of }: { of: { readonly suspension?: unknown } }) {
  return of.suspension ? (
    <StateWord tone="bad">Suspended</StateWord>
  ) : (
    <StateWord tone="good">Active</StateWord>
  )
}
