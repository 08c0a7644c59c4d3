import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useContext, useState, type FormEvent } from 'react'

import { DeleteAccountDocument } from '../gql/graphql.ts'
import type { Problem } from '../graph/problem.ts'
import { useDoor } from '../sign-in/sign-in-context.ts'
import { download, today } from '../ui/download.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { ProofContext } from '../ui/proof-context.ts'
import { useAction } from '../ui/use-action.ts'

/** What is kept of a person: to take along, or to have deleted. */
export function AccountData({ email }: { readonly email: string }) {
  const [isDeleting, deleting] = useDisclosure(false)
  const exporting = useExport()

  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Text size="sm" maw={520}>
          Everything that is kept of you as a person, as JSON: account, sign-ins, credentials, what
          you did, and the tunnels, domains and plans that you made or chose. What opens something
          is not in it.
        </Text>
        <Button variant="default" loading={exporting.isBusy} onClick={() => void exporting.run()}>
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

/** Downloads the export, after a proof of who asks where the last one is too old. */
function useExport() {
  const { signIn } = useDoor()
  const prove = useContext(ProofContext)
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  const run = async () => {
    setBusy(true)
    const send = async () =>
      download('/v1/account/export', {
        name: `sluice-account-${today()}.json`,
        token: await signIn.freshToken(),
      })
    let found = await send()
    if (found?.code === 'SLUICE_REAUTHENTICATION_NEEDED' && (await prove())) found = await send()
    setProblem(found)
    setBusy(false)
  }
  return { run, isBusy, problem }
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
