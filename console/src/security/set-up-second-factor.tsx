import { Button, Center, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { ConfirmSecondFactorDocument, StartSecondFactorDocument } from '../gql/graphql.ts'
import type { StartSecondFactorMutation } from '../gql/graphql.ts'
import { Command } from '../ui/copy.tsx'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import { QrCode } from './qr-code.tsx'

type Setup = StartSecondFactorMutation['startSecondFactor']

/** A button, and the dialog in which an authenticator app learns the secret and gives a first code. */
export function SetUpSecondFactor({ onDone }: { onDone: (codes: readonly string[]) => void }) {
  const [setup, setSetup] = useState<Setup | null>(null)
  const start = useAction(StartSecondFactorDocument)
  const confirmation = useAction(ConfirmSecondFactorDocument)

  const open = async () => {
    const { data } = await start.run({})
    if (data) setSetup(data.startSecondFactor)
  }
  const close = () => {
    confirmation.reset()
    setSetup(null)
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const { data } = await confirmation.run({ code: formText(event.currentTarget, 'code') })
    if (!data) return
    close()
    onDone(data.confirmSecondFactor)
  }

  return (
    <div>
      <Button loading={start.isBusy} onClick={() => void open()}>
        Set it up
      </Button>
      {start.problem && <ProblemNote problem={start.problem} />}
      <Modal
        opened={setup !== null}
        onClose={close}
        title="Set up an authenticator app"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {setup && (
          <form onSubmit={(event) => void submit(event)}>
            <Stack>
              <Text size="sm">Scan this with the app, or type the secret into it:</Text>
              <Center>
                <QrCode text={setup.uri} label="QR code with the secret below" />
              </Center>
              <Command isPlain what="the secret">
                {setup.secret}
              </Command>
              {confirmation.problem && <ProblemNote problem={confirmation.problem} />}
              <TextInput
                label="Code"
                description="The six digits that the app shows now."
                name="code"
                inputMode="numeric"
                autoComplete="one-time-code"
                maxLength={10}
                required
                data-autofocus
              />
              <Group justify="flex-end">
                <Button type="submit" loading={confirmation.isBusy}>
                  Turn it on
                </Button>
              </Group>
            </Stack>
          </form>
        )}
      </Modal>
    </div>
  )
}
