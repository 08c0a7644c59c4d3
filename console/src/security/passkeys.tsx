import { Button, Group, Modal, Stack, Table, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import type { FormEvent } from 'react'

import {
  AddPasskeyDocument,
  RemovePasskeyDocument,
  RenamePasskeyDocument,
  StartPasskeyDocument,
} from '../gql/graphql.ts'
import type { AccountSecurityQuery } from '../gql/graphql.ts'
import type { Problem } from '../graph/problem.ts'
import { canUsePasskeys, createPasskey } from '../sign-in/passkey.ts'
import { Confirm } from '../ui/confirm.tsx'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'

type Passkey = AccountSecurityQuery['passkeys'][number]

interface Props {
  readonly passkeys: readonly Passkey[]
  readonly onChanged: () => void
}

export function Passkeys({ passkeys, onChanged }: Props) {
  const [isAdding, adding] = useDisclosure(false)
  const [renaming, setRenaming] = useState<Passkey | null>(null)
  const [removing, setRemoving] = useState<Passkey | null>(null)
  const removal = useAction(RemovePasskeyDocument)

  return (
    <>
      {passkeys.length > 0 && (
        <div className="scroll">
          <Table aria-label="Passkeys" miw={560}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>Added</Table.Th>
                <Table.Th>Last used</Table.Th>
                <Table.Th>
                  <span className="visually-hidden">Actions</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {passkeys.map((passkey) => (
                <Table.Tr key={passkey.id}>
                  <Table.Td>
                    <Text size="sm" fw={600}>
                      {passkey.name}
                    </Text>
                    {passkey.isBackedUp && (
                      <Text size="xs" c="dimmed">
                        On several devices
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td>
                    <Ago at={passkey.createdAt} />
                  </Table.Td>
                  <Table.Td>
                    {passkey.lastUsedAt ? <Ago at={passkey.lastUsedAt} /> : 'Never'}
                  </Table.Td>
                  <Table.Td>
                    <Group gap="xs" justify="flex-end" wrap="nowrap">
                      <Button
                        variant="default"
                        size="xs"
                        onClick={() => setRenaming(passkey)}
                        aria-label={`Rename ${passkey.name}`}
                      >
                        Rename
                      </Button>
                      <Button
                        variant="default"
                        size="xs"
                        onClick={() => setRemoving(passkey)}
                        aria-label={`Remove ${passkey.name}`}
                      >
                        Remove
                      </Button>
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      <Group justify="space-between" className={passkeys.length > 0 ? 'panel-foot' : 'panel-body'}>
        <Text size="sm" maw={520}>
          {canUsePasskeys()
            ? 'Sign in with your fingerprint, face or a security key. A passkey stands for password and second factor.'
            : 'This browser has no passkeys here: they need https and a host with a name.'}
        </Text>
        {canUsePasskeys() && (
          <Button variant="default" onClick={adding.open}>
            Add a passkey
          </Button>
        )}
      </Group>
      <AddDialog isOpen={isAdding} onClose={adding.close} onAdded={onChanged} />
      {renaming && (
        <RenameDialog passkey={renaming} onClose={() => setRenaming(null)} onRenamed={onChanged} />
      )}
      <Confirm
        isOpen={removing !== null}
        title={`Remove the passkey ${removing?.name}?`}
        effect="It can no longer sign in. Remove it on the device as well."
        action="Remove it"
        onClose={() => setRemoving(null)}
        onConfirm={async () => {
          if (!removing) return null
          const { problem } = await removal.run({ id: removing.id })
          if (!problem) onChanged()
          return problem
        }}
      />
    </>
  )
}

interface AddProps {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onAdded: () => void
}

function AddDialog({ isOpen, onClose, onAdded }: AddProps) {
  const start = useAction(StartPasskeyDocument)
  const addition = useAction(AddPasskeyDocument)
  const [problem, setProblem] = useState<Problem | null>(null)

  const close = () => {
    setProblem(null)
    onClose()
  }
  const add = async (name: string): Promise<Problem | null> => {
    const started = await start.run({})
    if (started.problem) return started.problem
    const made = await createPasskey(started.data.startPasskey)
    if (made.problem) return made.problem
    return (await addition.run({ name, response: made.response })).problem
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    setProblem(null)
    const found = await add(formText(event.currentTarget, 'name'))
    if (found) return setProblem(found)
    onAdded()
    close()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title="Add a passkey"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {problem && <ProblemNote problem={problem} />}
          <TextInput
            label="Name"
            description="To tell it from others: Laptop, Phone, Blue key."
            name="name"
            maxLength={60}
            required
            data-autofocus
          />
          <Group justify="flex-end">
            <Button type="submit" loading={start.isBusy || addition.isBusy}>
              Go on
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

interface RenameProps {
  readonly passkey: Passkey
  readonly onClose: () => void
  readonly onRenamed: () => void
}

function RenameDialog({ passkey, onClose, onRenamed }: RenameProps) {
  const { run, isBusy, problem } = useAction(RenamePasskeyDocument)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const { data } = await run({ id: passkey.id, name: formText(event.currentTarget, 'name') })
    if (!data) return
    onRenamed()
    onClose()
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={`Rename ${passkey.name}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {problem && <ProblemNote problem={problem} />}
          <TextInput
            label="Name"
            name="name"
            defaultValue={passkey.name}
            maxLength={60}
            required
            data-autofocus
          />
          <Group justify="flex-end">
            <Button type="submit" loading={isBusy}>
              Rename it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
