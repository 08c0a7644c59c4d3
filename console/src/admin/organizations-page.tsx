import { Table } from '@mantine/core'
import { getRouteApi, Link } from '@tanstack/react-router'

import { AdminOrganizationsDocument } from '../gql/graphql.ts'
import type { AdminOrganizationsQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { Ago } from '../ui/time.tsx'
import { SearchField, useSearch } from './search-list.tsx'
import { SuspensionWord } from './users-page.tsx'

const organizationsOf = (data: AdminOrganizationsQuery) => data.staffOrganizations

const route = getRouteApi('/in/admin/organizations')

/** All organizations, for staff. */
export function OrganizationsPage() {
  const navigate = route.useNavigate()
  const { typed, setTyped, search } = useSearch(route.useSearch().search, (wanted) => {
    void navigate({ search: { search: wanted }, replace: true, resetScroll: false })
  })
  const pages = usePages({
    document: AdminOrganizationsDocument,
    variables: { search },
    pick: organizationsOf,
  })
  const list = loadedOf(pages, {
    path: 'staffOrganizations',
    pick: () => pages.nodes,
    isEmpty: (organizations) => organizations.length === 0,
  })
  return (
    <Page title="Organizations" about="Every organization on this server.">
      <SearchField label="Search by name or id" typed={typed} onType={setTyped} />
      <Panel
        of={list}
        isFlush
        onRetry={pages.refetch}
        empty={<Empty title="None like that">Try a part of the name.</Empty>}
      >
        {(organizations) => (
          <>
            <div className="scroll">
              <Table aria-label="Organizations" miw={560}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Name</Table.Th>
                    <Table.Th>In addresses</Table.Th>
                    <Table.Th>State</Table.Th>
                    <Table.Th>Made</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {organizations.map((one) => (
                    <Table.Tr key={one.id}>
                      <Table.Td>
                        <Link
                          to="/admin/organizations/$organizationId"
                          params={{ organizationId: one.id }}
                        >
                          {one.name}
                        </Link>
                      </Table.Td>
                      <Table.Td className="mono">{one.slug}</Table.Td>
                      <Table.Td>
                        <SuspensionWord of={one} />
                      </Table.Td>
                      <Table.Td>
                        <Ago at={one.createdAt} />
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </div>
            <LoadMore
              {...pages}
              count={organizations.length}
              what={['organization', 'organizations']}
            />
          </>
        )}
      </Panel>
    </Page>
  )
}
