import { Button, Group, Table, Text } from '@mantine/core'
import { useEffect, useState } from 'react'

import {
  InvitationsDocument,
  ResendInvitationDocument,
  RevokeInvitationDocument,
} from '../gql/graphql.ts'
import type { InvitationsQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { usePlace } from '../shell/organization.ts'
import { Confirm } from '../ui/confirm.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'
import { labelOf } from './role-choice.ts'

const invitationsOf = (data: InvitationsQuery) => data.organization?.invitations
type Invitation = NonNullable<ReturnType<typeof invitationsOf>>['nodes'][number]

/** Who is asked and has not answered. `sent` rises with each invitation that was made beside this list. */
export function Invitations({ sent }: { sent: number }) {
  const { organization } = usePlace()
  const pages = usePages({
    document: InvitationsDocument,
    variables: { organizationId: organization.id },
    pick: invitationsOf,
  })
  const resend = useAction(ResendInvitationDocument)
  const revoke = useAction(RevokeInvitationDocument)
  const [revoking, setRevoking] = useState<Invitation | null>(null)
  const list = loadedOf(pages, {
    path: 'organization.invitations',
    pick: () => pages.nodes,
    isEmpty: (invitations) => invitations.length === 0,
  })
  const { refetch } = pages

  useEffect(() => {
    if (sent > 0) refetch()
  }, [sent, refetch])

  const sendAgain = async ({ id }: Invitation) => {
    await resend.run({ id })
    refetch()
  }

  return (
    <>
      <Panel
        title="Invitations"
        of={list}
        isFlush
        onRetry={refetch}
        empty={
          <Text size="sm" c="dimmed">
            No invitation waits for an answer.
          </Text>
        }
      >
        {(invitations) => (
          <>
            {resend.problem && (
              <div className="panel-body">
                <ProblemNote problem={resend.problem} />
              </div>
            )}
            <div className="scroll">
              <Table aria-label="Invitations" miw={720}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Email</Table.Th>
                    <Table.Th>Role</Table.Th>
                    <Table.Th>Sent</Table.Th>
                    <Table.Th>
                      <span className="visually-hidden">Actions</span>
                    </Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {invitations.map((invitation) => (
                    <Table.Tr key={invitation.id}>
                      <Table.Td>{invitation.email}</Table.Td>
                      <Table.Td>{labelOf(invitation)}</Table.Td>
                      <Table.Td>
                        <Ago at={invitation.sentAt} />
                        {invitation.invitedBy && ` by ${invitation.invitedBy.name}`}
                        {invitation.isExpired && (
                          <Text size="xs" c="dimmed">
                            It has run out.
                          </Text>
                        )}
                      </Table.Td>
                      <Table.Td>
                        <Group gap="xs" justify="flex-end" wrap="nowrap">
                          <Button
                            variant="default"
                            size="xs"
                            loading={resend.isBusy}
                            aria-label={`Send again to ${invitation.email}`}
                            onClick={() => void sendAgain(invitation)}
                          >
                            Send again
                          </Button>
                          <Button
                            variant="default"
                            size="xs"
                            aria-label={`Revoke the invitation to ${invitation.email}`}
                            onClick={() => setRevoking(invitation)}
                          >
                            Revoke
                          </Button>
                        </Group>
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </div>
            <LoadMore {...pages} count={invitations.length} what={['invitation', 'invitations']} />
          </>
        )}
      </Panel>
      <Confirm
        isOpen={revoking !== null}
        title={`Revoke the invitation to ${revoking?.email}?`}
        effect="The link in the mail no longer works. You can invite the address again."
        action="Revoke the invitation"
        onClose={() => setRevoking(null)}
        onConfirm={async () => {
          if (!revoking) return null
          const { problem } = await revoke.run({ id: revoking.id })
          if (!problem) refetch()
          return problem
        }}
      />
    </>
  )
}
