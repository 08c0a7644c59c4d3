import { Avatar, Button, Group, Select, Stack, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { ChangeMemberRoleDocument, MembersDocument, RemoveMemberDocument } from '../gql/graphql.ts'
import type { MembersQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { useMe } from '../shell/me.ts'
import { roles, useMay, usePlace } from '../shell/organization.ts'
import { useReadMe } from '../shell/use-read-me.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'
import { Invitations } from './invitations.tsx'
import { InviteDialog } from './invite-dialog.tsx'
import { choiceOf, labelOf, roleOfChoice } from './role-choice.ts'
import { TransferOwnership } from './transfer-ownership.tsx'
import { useRoleChoices } from './use-role-choices.ts'

const membersOf = (data: MembersQuery) => data.organization?.members
type Member = NonNullable<ReturnType<typeof membersOf>>['nodes'][number]

export function MembersPage() {
  const me = useMe()
  const readMe = useReadMe()
  const navigate = useNavigate()
  const { organization } = usePlace()
  const [isAdding, adding] = useDisclosure(false)
  const [removing, setRemoving] = useState<Member | null>(null)
  const [heir, setHeir] = useState<Member | null>(null)
  const [sent, setSent] = useState(0)
  const remove = useAction(RemoveMemberDocument)
  const change = useAction(ChangeMemberRoleDocument)
  const pages = usePages({
    document: MembersDocument,
    variables: { organizationId: organization.id },
    pick: membersOf,
  })
  const list = loadedOf(pages, {
    path: 'organization.members',
    pick: () => pages.nodes,
    isEmpty: (members) => members.length === 0,
  })
  const mayChange = useMay('members.manage')
  const mayTransfer = useMay('organization.delete')
  const choices = useRoleChoices()
  const isLeaving = removing?.user.id === me.id

  const goHome = async () => {
    await readMe()
    await navigate({ to: '/' })
  }

  const changeRole = async (member: Member, choice: string | null) => {
    const role = roleOfChoice(choice)
    if (!role || choice === choiceOf(member)) return
    await change.run({ memberId: member.id, ...role })
    pages.refetch()
  }

  return (
    <Page
      title="Members"
      about="Who belongs to the organization, and what each may do."
      actions={mayChange && <Button onClick={adding.open}>Invite a member</Button>}
    >
      <Stack>
        {change.problem && (
          <section className="panel">
            <div className="panel-body">
              <ProblemNote problem={change.problem} />
            </div>
          </section>
        )}
        <Panel
          of={list}
          isFlush
          onRetry={pages.refetch}
          empty={
            <Empty
              title="No member"
              action={mayChange && <Button onClick={adding.open}>Invite one</Button>}
            >
              <Text size="sm" c="dimmed">
                Invite people by email.
              </Text>
            </Empty>
          }
        >
          {(members) => (
            <>
              <MemberTable
                members={members}
                meId={me.id}
                mayChange={mayChange}
                choices={choices}
                onTransfer={mayTransfer ? setHeir : null}
                onChangeRole={(member, next) => void changeRole(member, next)}
                onRemove={setRemoving}
              />
              <LoadMore
                {...pages}
                count={members.length}
                what={['member', 'members']}
                max={pages.data?.organization?.entitlements?.maxMembers}
              />
            </>
          )}
        </Panel>
        {mayChange && <Invitations sent={sent} />}
      </Stack>
      <InviteDialog
        isOpen={isAdding}
        onClose={adding.close}
        onInvited={() => setSent((before) => before + 1)}
      />
      <TransferOwnership
        heir={heir}
        onClose={() => setHeir(null)}
        onDone={async () => {
          await readMe()
          pages.refetch()
        }}
      />
      <Confirm
        isOpen={removing !== null}
        title={isLeaving ? `Leave ${organization.name}?` : `Remove ${removing?.user.name}?`}
        effect={`${isLeaving ? 'You' : removing?.user.email} can no longer see or change anything of ${organization.name}, at once. Authtokens that ${isLeaving ? 'you' : 'they'} made are revoked; tunnels stay.`}
        action={isLeaving ? 'Leave the organization' : 'Remove the member'}
        onClose={() => setRemoving(null)}
        onConfirm={async () => {
          if (!removing) return null
          const { problem } = await remove.run({ memberId: removing.id })
          if (problem) return problem
          if (isLeaving) await goHome()
          else pages.refetch()
          return null
        }}
      />
    </Page>
  )
}

interface TableProps {
  readonly members: readonly Member[]
  readonly meId: string
  readonly mayChange: boolean
  readonly choices: ReturnType<typeof useRoleChoices>
  readonly onChangeRole: (member: Member, choice: string | null) => void
  /** Null for those who own nothing. */
  readonly onTransfer: ((member: Member) => void) | null
  readonly onRemove: (member: Member) => void
}

function MemberTable(props: TableProps) {
  const { members, meId, mayChange, choices, onChangeRole, onTransfer, onRemove } = props
  return (
    <div className="scroll">
      <Table aria-label="Members" miw={820}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Member</Table.Th>
            <Table.Th w={170}>Role</Table.Th>
            <Table.Th>May</Table.Th>
            <Table.Th>Joined</Table.Th>
            <Table.Th>
              <span className="visually-hidden">Actions</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {members.map((member) => (
            <Table.Tr key={member.id}>
              <Table.Td>
                <Group gap="sm" wrap="nowrap">
                  <Avatar size={30} name={member.user.name} color="lagoon" aria-hidden />
                  <div>
                    <Text size="sm" fw={600}>
                      {member.user.name}
                      {member.user.id === meId && ' (you)'}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {member.user.email}
                    </Text>
                  </div>
                </Group>
              </Table.Td>
              <Table.Td>
                {mayChange ? (
                  <Select
                    aria-label={`Role of ${member.user.name}`}
                    size="xs"
                    data={choices}
                    value={choiceOf(member)}
                    allowDeselect={false}
                    onChange={(next) => onChangeRole(member, next)}
                  />
                ) : (
                  labelOf(member)
                )}
              </Table.Td>
              <Table.Td>
                {member.customRole ? 'What the role names.' : roles[member.role].may}
              </Table.Td>
              <Table.Td>
                <Ago at={member.joinedAt} />
              </Table.Td>
              <Table.Td>
                <Group gap="xs" justify="flex-end" wrap="nowrap">
                  {onTransfer && member.user.id !== meId && member.role !== 'OWNER' && (
                    <Button
                      variant="default"
                      size="xs"
                      onClick={() => onTransfer(member)}
                      aria-label={`Make owner: ${member.user.name}`}
                    >
                      Make owner
                    </Button>
                  )}
                  {(mayChange || member.user.id === meId) && (
                    <Button
                      variant="default"
                      size="xs"
                      onClick={() => onRemove(member)}
                      {...(member.user.id !== meId && {
                        'aria-label': `Remove ${member.user.name}`,
                      })}
                    >
                      {member.user.id === meId ? 'Leave' : 'Remove'}
                    </Button>
                  )}
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
