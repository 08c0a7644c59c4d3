import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { CreateTunnelDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { Command } from '../ui/copy.tsx'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'

/** Reserves a name before an agent runs, so that the address can be handed out first. */
export function CreateTunnel({ onCreated }: { onCreated: () => void }) {
  const { organization } = usePlace()
  const [isOpen, dialog] = useDisclosure(false)
  const [made, setMade] = useState<string | null>(null)
  const { run, isBusy, problem, reset } = useAction(CreateTunnelDocument)

  const close = () => {
    setMade(null)
    reset()
    dialog.close()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const name = formText(event.currentTarget, 'name')
    const { data } = await run({ organizationId: organization.id, input: name ? { name } : {} })
    if (!data) return
    setMade(data.createTunnel.name)
    onCreated()
  }

  return (
    <>
      <Button onClick={dialog.open}>Reserve a name</Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={made ? `${made} is yours` : 'Reserve a name'}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {made ? (
          <Stack>
            <Text size="sm">Bring it online from the machine where the service runs:</Text>
            <Command>{`sluice http 3000 --name ${made}`}</Command>
            <Group justify="flex-end">
              <Button onClick={close}>Done</Button>
            </Group>
          </Stack>
        ) : (
          <form onSubmit={(event) => void submit(event)}>
            <Stack>
              {problem && <ProblemNote problem={problem} />}
              <TextInput
                label="Name"
                name="name"
                description="The first part of the address. Left empty, one is made up."
                maxLength={63}
                data-autofocus
              />
              <Group justify="flex-end">
                <Button type="submit" loading={isBusy}>
                  Reserve it
                </Button>
              </Group>
            </Stack>
          </form>
        )}
      </Modal>
    </>
  )
}
