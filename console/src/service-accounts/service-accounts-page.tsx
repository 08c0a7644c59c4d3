import { Badge, Button, Group, Modal, Select, Table, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import { useQuery } from 'urql'

import {
  ChangeServiceAccountRoleDocument,
  CreateServiceAccountDocument,
  DeleteServiceAccountDocument,
  RoleChoicesDocument,
  ServiceAccountsDocument,
  SetServiceAccountDisabledDocument,
} from '../gql/graphql.ts'
import type { ServiceAccountsQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { isRole, roleChoices, roles, usePlace } from '../shell/organization.ts'
import { ActionForm } from '../ui/action-form.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { Empty } from '../ui/empty.tsx'
import { formText } from '../ui/form-text.ts'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'

type ServiceAccount = NonNullable<ServiceAccountsQuery['organization']>['serviceAccounts'][number]

export function ServiceAccountsPage() {
  const { organization } = usePlace()
  const [isCreating, creating] = useDisclosure(false)
  const [deleting, setDeleting] = useState<ServiceAccount | null>(null)
  const [answer, read] = useQuery({
    query: ServiceAccountsDocument,
    variables: { organizationId: organization.id },
  })
  const refetch = () => read({ requestPolicy: 'network-only' })
  const remove = useAction(DeleteServiceAccountDocument)
  const mayChange = organization.viewerPermissions.includes('service-accounts.manage')
  const create = mayChange && <Button onClick={creating.open}>Create a service account</Button>
  const { data, error, fetching } = answer
  const list = loadedOf(
    { data, error, fetching },
    {
      path: 'organization.serviceAccounts',
      pick: ({ organization: found }) => found?.serviceAccounts,
      isEmpty: (accounts) => accounts.length === 0,
    },
  )

  return (
    <Page
      title="Service accounts"
      about="A service account stands for a program. Authtokens and API keys that act for it stay when people leave, and end with it."
      actions={create}
    >
      <Panel
        of={list}
        isFlush
        onRetry={refetch}
        empty={
          <Empty title="No service account yet" action={create}>
            <Text size="sm" c="dimmed">
              Make one for each program, then choose it when you create an authtoken or API key.
            </Text>
          </Empty>
        }
      >
        {(accounts) => (
          <ServiceAccountTable accounts={accounts} onChanged={refetch} onDelete={setDeleting} />
        )}
      </Panel>
      <CreateDialog isOpen={isCreating} onClose={creating.close} onCreated={refetch} />
      <Confirm
        isOpen={deleting !== null}
        title={`Delete ${deleting?.name}?`}
        effect="Its authtokens and API keys are revoked within seconds: agents that use them go offline. It cannot be taken back."
        action="Delete the service account"
        onClose={() => setDeleting(null)}
        onConfirm={async () => {
          if (!deleting) return null
          const { problem } = await remove.run({ id: deleting.id })
          if (!problem) refetch()
          return problem
        }}
      />
    </Page>
  )
}

interface TableProps {
  readonly accounts: readonly ServiceAccount[]
  readonly onChanged: () => void
  readonly onDelete: (account: ServiceAccount) => void
}

function ServiceAccountTable({ accounts, onChanged, onDelete }: TableProps) {
  const { organization } = usePlace()
  const disable = useAction(SetServiceAccountDisabledDocument)
  const mayChange = organization.viewerPermissions.includes('service-accounts.manage')
  return (
    <>
      {disable.problem && <ProblemNote problem={disable.problem} />}
      <div className="scroll">
        <Table aria-label="Service accounts" miw={640}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Role</Table.Th>
              <Table.Th>Created</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>
                <span className="visually-hidden">Actions</span>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {accounts.map((account) => {
              const { id, name, disabledAt } = account
              return (
                <Table.Tr key={id}>
                  <Table.Td fw={600}>{name}</Table.Td>
                  <Table.Td>
                    {mayChange ? (
                      <RoleOf account={account} onChanged={onChanged} />
                    ) : (
                      roleOf(account)
                    )}
                  </Table.Td>
                  <Table.Td>
                    <Ago at={account.createdAt} />
                  </Table.Td>
                  <Table.Td>{disabledAt ? <Badge data-quiet>Disabled</Badge> : 'Good'}</Table.Td>
                  <Table.Td ta="right">
                    {mayChange && (
                      <Group gap="xs" justify="flex-end" wrap="nowrap">
                        <Button
                          variant="default"
                          size="xs"
                          loading={disable.isBusy}
                          onClick={() => void disable.run({ id, disabled: !disabledAt })}
                          aria-label={`${disabledAt ? 'Enable' : 'Disable'} ${name}`}
                        >
                          {disabledAt ? 'Enable' : 'Disable'}
                        </Button>
                        <Button
                          variant="default"
                          size="xs"
                          onClick={() => onDelete(account)}
                          aria-label={`Delete ${name}`}
                        >
                          Delete
                        </Button>
                      </Group>
                    )}
                  </Table.Td>
                </Table.Tr>
              )
            })}
          </Table.Tbody>
        </Table>
      </div>
    </>
  )
}

function roleOf({ role, customRole }: ServiceAccount): string {
  return customRole?.name ?? roles[role].label
}

/** Built-in roles by their name, custom ones by their id: both fit into one list. */
function useRoleChoices() {
  const { organization } = usePlace()
  const [{ data }] = useQuery({
    query: RoleChoicesDocument,
    variables: { organizationId: organization.id },
  })
  const builtIn = roleChoices.filter(({ value }) => value !== 'OWNER')
  const custom = data?.organization?.roles ?? []
  return [...builtIn, ...custom.map(({ id, name }) => ({ value: id, label: name }))]
}

function givenBy(choice: string) {
  return isRole(choice)
    ? { role: choice, customRoleId: null }
    : { role: null, customRoleId: choice }
}

function RoleOf({ account, onChanged }: { account: ServiceAccount; onChanged: () => void }) {
  const choices = useRoleChoices()
  const { run, isBusy, problem } = useAction(ChangeServiceAccountRoleDocument)
  const change = async (choice: string | null) => {
    if (!choice) return
    const { data } = await run({ id: account.id, ...givenBy(choice) })
    if (data) onChanged()
  }
  return (
    <Select
      size="xs"
      w={170}
      aria-label={`Role of ${account.name}`}
      data={choices}
      value={account.customRole?.id ?? account.role}
      disabled={isBusy}
      allowDeselect={false}
      error={problem?.title}
      onChange={(choice) => void change(choice)}
    />
  )
}

interface DialogProps {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onCreated: () => void
}

function CreateDialog({ isOpen, onClose, onCreated }: DialogProps) {
  const { organization } = usePlace()
  const choices = useRoleChoices()
  const action = useAction(CreateServiceAccountDocument)

  const close = () => {
    action.reset()
    onClose()
  }
  const submit = async (form: HTMLFormElement) => {
    const { data } = await action.run({
      organizationId: organization.id,
      name: formText(form, 'name'),
      ...givenBy(formText(form, 'role')),
    })
    if (!data) return
    onCreated()
    close()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title="Create a service account"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <ActionForm of={action} label="Create" onSubmit={submit}>
        <TextInput
          label="Name"
          name="name"
          description="The program: deploys, nightly report."
          required
          maxLength={100}
          data-autofocus
        />
        <Select
          label="Role"
          name="role"
          description="At most what you may do yourself."
          data={choices}
          defaultValue="DEVELOPER"
          allowDeselect={false}
        />
      </ActionForm>
    </Modal>
  )
}
