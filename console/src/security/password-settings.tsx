import { Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { ChangePasswordDocument } from '../gql/graphql.ts'
import { passwordOf } from '../ui/form-text.ts'
import { NewPassword } from '../ui/new-password.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'

export function PasswordSettings({ onChanged }: { onChanged: () => void }) {
  const [isOpen, dialog] = useDisclosure(false)
  const [isDone, setDone] = useState(false)
  const { run, isBusy, problem, reset } = useAction(ChangePasswordDocument)

  const close = () => {
    reset()
    dialog.close()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const { data } = await run({
      currentPassword: passwordOf(form, 'currentPassword'),
      password: passwordOf(form),
    })
    if (!data) return
    setDone(true)
    onChanged()
    close()
  }

  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text size="sm">Changing it ends your other sign-ins.</Text>
        <Button variant="default" onClick={dialog.open}>
          Change the password
        </Button>
      </Group>
      {isDone && (
        <Text size="sm" role="status">
          Your password is changed, and your other sign-ins are ended.
        </Text>
      )}
      <Modal
        opened={isOpen}
        onClose={close}
        title="Change the password"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            {problem && <ProblemNote problem={problem} />}
            <PasswordInput
              label="Present password"
              name="currentPassword"
              autoComplete="current-password"
              required
              data-autofocus
            />
            <NewPassword label="New password" />
            <Group justify="flex-end">
              <Button type="submit" loading={isBusy}>
                Change it
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </Stack>
  )
}
