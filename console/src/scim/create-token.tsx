import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { CreateScimTokenDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import { ShownToken } from './shown-token.tsx'

interface Props {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onCreated: () => void
}

/** Makes a token, and shows it this once. */
export function CreateToken({ isOpen, onClose, onCreated }: Props) {
  const { organization } = usePlace()
  const { run, isBusy, problem, reset } = useAction(CreateScimTokenDocument)
  const [secret, setSecret] = useState<string | null>(null)

  const close = () => {
    setSecret(null)
    reset()
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const name = formText(event.currentTarget, 'name')
    const { data } = await run({ input: { organizationId: organization.id, name } })
    if (!data) return
    setSecret(data.createScimToken.secret)
    onCreated()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      // A click beside the dialog must not throw away what is shown only once.
      closeOnClickOutside={secret === null}
      size="lg"
      title={secret ? 'Your SCIM token' : 'Create a SCIM token'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {secret ? (
        <Stack>
          <ShownToken secret={secret} />
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
              description="Which identity provider has it: Okta, Entra ID."
              required
              maxLength={100}
              data-autofocus
            />
            <Group justify="flex-end">
              <Button type="submit" loading={isBusy}>
                Create
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
