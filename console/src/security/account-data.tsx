import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { FormEvent } from 'react'

import { DeleteAccountDocument, ExportAccountDocument } from '../gql/graphql.ts'
import { useDoor } from '../sign-in/sign-in-context.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'

/** What is kept of a person: to take along, or to have deleted. */
export function AccountData({ email }: { readonly email: string }) {
  const [isDeleting, deleting] = useDisclosure(false)
  const exporting = useAction(ExportAccountDocument)
  const download = async () => {
    const { data } = await exporting.run({})
    if (data) save(data.exportAccount, 'sluice-account.json')
  }

  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Text size="sm" maw={520}>
          Everything that is kept of you as a person, as JSON. Tunnels, domains and invoices belong
          to organizations.
        </Text>
        <Button variant="default" loading={exporting.isBusy} onClick={() => void download()}>
          Download your data
        </Button>
      </Group>
      {exporting.problem && <ProblemNote problem={exporting.problem} />}
      <Group justify="space-between">
        <Text size="sm" maw={520}>
          Deleting your account is for good. Organizations that you alone are in go with it.
        </Text>
        <Button variant="default" onClick={deleting.open}>
          Delete your account
        </Button>
      </Group>
      <DeleteDialog email={email} isOpen={isDeleting} onClose={deleting.close} />
    </Stack>
  )
}

interface DialogProps {
  readonly email: string
  readonly isOpen: boolean
  readonly onClose: () => void
}

function DeleteDialog({ email, isOpen, onClose }: DialogProps) {
  const { signIn } = useDoor()
  const { run, isBusy, problem, reset } = useAction(DeleteAccountDocument)
  const close = () => {
    reset()
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const { data } = await run({ email: formText(event.currentTarget, 'confirmation') })
    // Signed out there already: this ends the other tabs, too.
    if (data) await signIn.signOut()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title="Delete your account?"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <Text size="sm">
            You are signed out everywhere at once, and your authtokens end. Organizations that you
            alone are in are deleted with their tunnels and domains; others you leave. What you did
            there stays in their audit log, with your name.
          </Text>
          {problem && <ProblemNote problem={problem} />}
          <TextInput
            label="Your email"
            description={`Type ${email} to show that you mean it.`}
            name="confirmation"
            autoComplete="off"
            required
            data-autofocus
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Keep it
            </Button>
            <Button type="submit" color="red.8" loading={isBusy}>
              Delete it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

function save(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
