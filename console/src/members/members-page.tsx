import { Avatar, Button, Group, Modal, Select, Stack, Table, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { useClient } from 'urql'

import {
  InviteMemberDocument,
  ChangeMemberRoleDocument,
  MeDocument,
  MembersDocument,
  RemoveMemberDocument,
} from '../gql/graphql.ts'
import type { MembersQuery, Role } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { useMe } from '../shell/me.ts'
import { isManager, isRole, roleChoices, roles, usePlace } from '../shell/organization.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Empty } from '../ui/empty.tsx'
import { formText } from '../ui/form-text.ts'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'

const membersOf = (data: MembersQuery) => data.organization?.members
type Member = NonNullable<ReturnType<typeof membersOf>>['nodes'][number]

export function MembersPage() {
  const me = useMe()
  const client = useClient()
  const navigate = useNavigate()
  const { organization, role } = usePlace()
  const [isAdding, adding] = useDisclosure(false)
  const [removing, setRemoving] = useState<Member | null>(null)
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
  const limit = pages.data?.organization?.entitlements?.maxMembers
  const mayChange = isManager(role)
  const isLeaving = removing?.user.id === me.id

  const goHome = async () => {
    // The shell finds organizations in `me`: the one that was left must be gone from it first.
    await client.query(MeDocument, {}, { requestPolicy: 'network-only' }).toPromise()
    await navigate({ to: '/' })
  }

  const changeRole = async (member: Member, next: Role) => {
    await change.run({ memberId: member.id, role: next })
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
                onChangeRole={(member, next) => void changeRole(member, next)}
                onRemove={setRemoving}
              />
              <LoadMore
                {...pages}
                count={members.length}
                what={['member', 'members']}
                max={limit}
              />
            </>
          )}
        </Panel>
      </Stack>
      <AddDialog isOpen={isAdding} onClose={adding.close} onAdded={pages.refetch} />
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
  readonly onChangeRole: (member: Member, role: Role) => void
  readonly onRemove: (member: Member) => void
}

function MemberTable({ members, meId, mayChange, onChangeRole, onRemove }: TableProps) {
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
                    data={roleChoices}
                    value={member.role}
                    allowDeselect={false}
                    onChange={(next) =>
                      isRole(next) && next !== member.role && onChangeRole(member, next)
                    }
                  />
                ) : (
                  roles[member.role].label
                )}
              </Table.Td>
              <Table.Td>{roles[member.role].may}</Table.Td>
              <Table.Td>
                <Ago at={member.joinedAt} />
              </Table.Td>
              <Table.Td ta="right">
                {(mayChange || member.user.id === meId) && (
                  <Button
                    variant="default"
                    size="xs"
                    onClick={() => onRemove(member)}
                    {...(member.user.id !== meId && { 'aria-label': `Remove ${member.user.name}` })}
                  >
                    {member.user.id === meId ? 'Leave' : 'Remove'}
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

interface DialogProps {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onAdded: () => void
}

function AddDialog({ isOpen, onClose, onAdded }: DialogProps) {
  const { organization } = usePlace()
  const { run, isBusy, problem, reset } = useAction(InviteMemberDocument)
  const [role, setRole] = useState<Role>('DEVELOPER')

  const close = () => {
    reset()
    setRole('DEVELOPER')
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const email = formText(event.currentTarget, 'email')
    const { data } = await run({ input: { organizationId: organization.id, email, role } })
    if (!data) return
    onAdded()
    close()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title="Invite a member"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {problem && <ProblemNote problem={problem} />}
          <TextInput
            label="Email"
            description="A link to accept goes there. It needs no account yet."
            name="email"
            type="email"
            required
            data-autofocus
          />
          <Select
            label="Role"
            description={roles[role].may}
            data={roleChoices}
            value={role}
            allowDeselect={false}
            onChange={(next) => isRole(next) && setRole(next)}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={isBusy}>
              Send the invitation
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
