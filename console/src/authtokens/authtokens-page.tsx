import { Button, Checkbox, Group, Modal, Stack, Table, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { ActsFor } from '../credentials/acts-for.tsx'
import { GoodFor, isGood, LastUsed } from '../credentials/cells.tsx'
import { RotateDialog } from '../credentials/rotate-dialog.tsx'
import { TermsFields, termsOf } from '../credentials/terms-fields.tsx'
import {
  AuthtokensDocument,
  CreateAuthtokenDocument,
  RevokeAuthtokenDocument,
  RotateAuthtokenDocument,
} from '../gql/graphql.ts'
import type { AuthtokensQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { usePlace } from '../shell/organization.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Command } from '../ui/copy.tsx'
import { Empty } from '../ui/empty.tsx'
import { formText } from '../ui/form-text.ts'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'
import { CreatedAuthtoken } from './created-authtoken.tsx'
import { allScopes, isScope, scopes } from './scopes.ts'

const authtokensOf = (data: AuthtokensQuery) => data.organization?.authtokens
type Authtoken = NonNullable<ReturnType<typeof authtokensOf>>['nodes'][number]

export function AuthtokensPage() {
  const { organization, role } = usePlace()
  const [isCreating, creating] = useDisclosure(false)
  const [revoking, setRevoking] = useState<Authtoken | null>(null)
  const [rotating, setRotating] = useState<Authtoken | null>(null)
  const revoke = useAction(RevokeAuthtokenDocument)
  const rotate = useAction(RotateAuthtokenDocument)
  const pages = usePages({
    document: AuthtokensDocument,
    variables: { organizationId: organization.id },
    pick: authtokensOf,
  })
  const list = loadedOf(pages, {
    path: 'organization.authtokens',
    pick: () => pages.nodes,
    isEmpty: (authtokens) => authtokens.length === 0,
  })
  const mayChange = role !== 'VIEWER'

  return (
    <Page
      title="Authtokens"
      about="An authtoken lets the CLI and agents act for your organization. Give each machine its own, so that one can be revoked alone."
      actions={mayChange && <Button onClick={creating.open}>Create an authtoken</Button>}
    >
      <Panel
        of={list}
        isFlush
        onRetry={pages.refetch}
        empty={
          <Empty
            title="No authtoken yet"
            action={mayChange && <Button onClick={creating.open}>Create the first one</Button>}
          >
            <Text size="sm" c="dimmed">
              Create one here, then log the CLI in; it asks for the authtoken:
            </Text>
            <Command>{`sluice login --server ${location.origin}`}</Command>
          </Empty>
        }
      >
        {(authtokens) => (
          <>
            <AuthtokenTable
              authtokens={authtokens}
              {...(mayChange && { onRevoke: setRevoking, onRotate: setRotating })}
            />
            <LoadMore {...pages} count={authtokens.length} what={['authtoken', 'authtokens']} />
          </>
        )}
      </Panel>
      <CreateDialog isOpen={isCreating} onClose={creating.close} onCreated={pages.refetch} />
      <RotateDialog
        name={rotating?.name ?? null}
        what="authtoken"
        isBusy={rotate.isBusy}
        problem={rotate.problem}
        onRotate={async (overlapSeconds) => {
          if (!rotating) return null
          const { data } = await rotate.run({ id: rotating.id, overlapSeconds })
          if (data) pages.refetch()
          return data?.rotateAuthtoken.secret ?? null
        }}
        onClose={() => {
          rotate.reset()
          setRotating(null)
        }}
        show={(secret) => <CreatedAuthtoken secret={secret} />}
      />
      <Confirm
        isOpen={revoking !== null}
        title={`Revoke ${revoking?.name}?`}
        effect="Agents that use it are disconnected within seconds, and their tunnels go offline. It cannot be taken back."
        action="Revoke the authtoken"
        onClose={() => setRevoking(null)}
        onConfirm={async () => {
          if (!revoking) return null
          const { problem } = await revoke.run({ id: revoking.id })
          if (!problem) pages.refetch()
          return problem
        }}
      />
    </Page>
  )
}

interface TableProps {
  readonly authtokens: readonly Authtoken[]
  readonly onRevoke?: (authtoken: Authtoken) => void
  readonly onRotate?: (authtoken: Authtoken) => void
}

function AuthtokenTable({ authtokens, onRevoke, onRotate }: TableProps) {
  return (
    <div className="scroll">
      <Table aria-label="Authtokens" miw={860}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Begins with</Table.Th>
            <Table.Th>Scopes</Table.Th>
            <Table.Th>Created</Table.Th>
            <Table.Th>Last used</Table.Th>
            <Table.Th>Good until, from</Table.Th>
            <Table.Th>
              <span className="visually-hidden">Actions</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {authtokens.map((authtoken) => (
            <Table.Tr key={authtoken.id}>
              <Table.Td fw={600}>{authtoken.name}</Table.Td>
              <Table.Td className="mono">{authtoken.prefix}…</Table.Td>
              <Table.Td>
                {authtoken.scopes.length === allScopes.length
                  ? 'All'
                  : authtoken.scopes.map((scope) => scopes[scope].label).join(', ')}
              </Table.Td>
              <Table.Td>
                <Ago at={authtoken.createdAt} />
                {authtoken.createdBy && ` by ${authtoken.createdBy.name}`}
                {authtoken.serviceAccount && (
                  <Text size="xs" c="dimmed">
                    for {authtoken.serviceAccount.name}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <LastUsed {...authtoken} />
              </Table.Td>
              <Table.Td>
                <GoodFor {...authtoken} />
              </Table.Td>
              <Table.Td ta="right">
                {isGood(authtoken) && onRevoke && onRotate && (
                  <Group gap="xs" justify="flex-end" wrap="nowrap">
                    {!authtoken.successorId && (
                      <Button
                        variant="default"
                        size="xs"
                        onClick={() => onRotate(authtoken)}
                        aria-label={`Rotate ${authtoken.name}`}
                      >
                        Rotate
                      </Button>
                    )}
                    <Button
                      variant="default"
                      size="xs"
                      onClick={() => onRevoke(authtoken)}
                      aria-label={`Revoke ${authtoken.name}`}
                    >
                      Revoke
                    </Button>
                  </Group>
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
  readonly onCreated: () => void
}

function CreateDialog({ isOpen, onClose, onCreated }: DialogProps) {
  const { organization } = usePlace()
  const { run, isBusy, problem, reset } = useAction(CreateAuthtokenDocument)
  const [secret, setSecret] = useState<string | null>(null)
  const [chosen, setChosen] = useState<string[]>([...allScopes])

  const close = () => {
    setSecret(null)
    setChosen([...allScopes])
    reset()
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const { data } = await run({
      organizationId: organization.id,
      name: formText(form, 'name'),
      scopes: chosen.filter(isScope),
      serviceAccountId: formText(form, 'actsFor') || null,
      ...termsOf(form),
    })
    if (!data) return
    setSecret(data.createAuthtoken.secret)
    onCreated()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      // A click beside the dialog must not throw away what is shown only once.
      closeOnClickOutside={secret === null}
      size="lg"
      title={secret ? 'Your authtoken' : 'Create an authtoken'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {secret ? (
        <Stack>
          <CreatedAuthtoken secret={secret} />
          <Group justify="flex-end">
            <Button onClick={close}>I have copied it</Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            {problem && <ProblemNote problem={problem} />}
            <TextInput
              label="Name"
              name="name"
              description="Where it is used: laptop, build server, staging."
              required
              maxLength={100}
              data-autofocus
            />
            <Checkbox.Group label="Scopes" value={chosen} onChange={setChosen}>
              <Stack gap="xs" mt="xs">
                {allScopes.map((scope) => (
                  <Checkbox
                    key={scope}
                    value={scope}
                    label={scopes[scope].label}
                    description={scopes[scope].may}
                  />
                ))}
              </Stack>
            </Checkbox.Group>
            <ActsFor
              otherwise="Me"
              description="One that acts for you ends when you leave the organization."
            />
            <TermsFields />
            <Group justify="flex-end">
              <Button type="submit" loading={isBusy} disabled={chosen.length === 0}>
                Create
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
