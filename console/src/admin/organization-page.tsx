import { Button, Group, Table } from '@mantine/core'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { useQuery } from 'urql'

import {
  AdminOrganizationDocument,
  SuspendOrganizationDocument,
  UnsuspendOrganizationDocument,
} from '../gql/graphql.ts'
import type { AdminOrganizationQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'
import { SuspendDialog, SuspendedNote } from './suspend.tsx'

type Organization = AdminOrganizationQuery['staffOrganization']

/** One organization, for staff. */
export function OrganizationPage() {
  const { organizationId: id } = useParams({ from: '/in/admin/organizations/$organizationId' })
  const [answer, refetch] = useQuery({ query: AdminOrganizationDocument, variables: { id } })
  const organization = loadedOf(
    { data: answer.data, error: answer.error, fetching: answer.fetching },
    { path: 'staffOrganization', pick: (data) => data.staffOrganization },
  )
  const again = () => refetch({ requestPolicy: 'network-only' })
  return (
    <Page title={organization.kind === 'full' ? organization.value.name : 'Organization'}>
      <Panel of={organization} onRetry={again}>
        {(found) => <Detail organization={found} onChange={again} />}
      </Panel>
    </Page>
  )
}

function Detail({ organization, onChange }: { organization: Organization; onChange: () => void }) {
  const [isAsking, setAsking] = useState(false)
  const suspend = useAction(SuspendOrganizationDocument)
  const unsuspend = useAction(UnsuspendOrganizationDocument)
  const { id, name, suspension } = organization
  const lift = async () => {
    await unsuspend.run({ id })
    onChange()
  }
  return (
    <>
      {suspension && (
        <SuspendedNote title="This organization is suspended" suspension={suspension} />
      )}
      {unsuspend.problem && <ProblemNote problem={unsuspend.problem} />}
      <dl className="facts">
        <dt>Id</dt>
        <dd className="mono">{id}</dd>
        <dt>In addresses</dt>
        <dd className="mono">{organization.slug}</dd>
        <dt>Plan</dt>
        <dd>{organization.organization?.plan?.name ?? 'Not known'}</dd>
        <dt>Made</dt>
        <dd>
          <Ago at={organization.createdAt} />
        </dd>
        <dt>Members</dt>
        <dd>{organization.memberCount}</dd>
      </dl>
      <Table aria-label="Members">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Address</Table.Th>
            <Table.Th>Role</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {organization.places.map(({ user, role }) => (
            <Table.Tr key={user.id}>
              <Table.Td>
                <Link to="/admin/users/$userId" params={{ userId: user.id }}>
                  {user.name}
                </Link>
              </Table.Td>
              <Table.Td className="whole">{user.email}</Table.Td>
              <Table.Td>{role.toLowerCase()}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Group mt="md">
        {suspension ? (
          <Button variant="default" loading={unsuspend.isBusy} onClick={() => void lift()}>
            Lift the suspension
          </Button>
        ) : (
          <Button color="red.8" onClick={() => setAsking(true)}>
            Suspend …
          </Button>
        )}
      </Group>
      <SuspendDialog
        isOpen={isAsking}
        title={`Suspend ${name}?`}
        effect="All its tunnels close within seconds, its credentials open nothing, and its members see the reason and can change nothing."
        onSuspend={async (reason) => {
          const { problem } = await suspend.run({ id, reason })
          if (!problem) onChange()
          return problem
        }}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
