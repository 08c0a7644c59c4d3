import { Button, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'

import { CreateTunnelDocument } from '../gql/graphql.ts'
import type { CreateTunnelMutation, TunnelKind } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { ActionForm } from '../ui/action-form.tsx'
import { Command } from '../ui/copy.tsx'
import { formText } from '../ui/form-text.ts'
import { useAction } from '../ui/use-action.ts'
import { commandOf, tunnelKinds } from './tunnel-kind.ts'

/** Reserves a name before an agent runs, so that the address can be handed out first. */
export function CreateTunnel({ onCreated }: { onCreated: () => void }) {
  const { organization } = usePlace()
  const [isOpen, dialog] = useDisclosure(false)
  const [made, setMade] = useState<CreateTunnelMutation['createTunnel'] | null>(null)
  const [kind, setKind] = useState<TunnelKind>('HTTP')
  const action = useAction(CreateTunnelDocument)

  const close = () => {
    setMade(null)
    action.reset()
    dialog.close()
  }
  const submit = async (form: HTMLFormElement) => {
    const name = formText(form, 'name')
    const port = Number(formText(form, 'port'))
    const input = { kind, ...(name ? { name } : {}), ...(port > 0 ? { port } : {}) }
    const { data } = await action.run({ organizationId: organization.id, input })
    if (!data) return
    setMade(data.createTunnel)
    onCreated()
  }

  return (
    <>
      <Button onClick={dialog.open}>Reserve a name</Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={made ? `${made.name} is yours` : 'Reserve a name'}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {made ? (
          <Stack>
            <Text size="sm">Bring it online from the machine where the service runs:</Text>
            <Command>{commandOf(made)}</Command>
            <Group justify="flex-end">
              <Button onClick={close}>Done</Button>
            </Group>
          </Stack>
        ) : (
          <ActionForm of={action} label="Reserve it" onSubmit={submit}>
            <Select
              label="Kind"
              description={tunnelKinds[kind].about}
              data={Object.entries(tunnelKinds).map(([value, { label }]) => ({ value, label }))}
              value={kind}
              onChange={(value) => setKind((value ?? 'HTTP') as TunnelKind)}
              allowDeselect={false}
            />
            <TextInput
              label="Name"
              name="name"
              description="The first part of the address. Left empty, one is made up."
              maxLength={63}
              data-autofocus
            />
            {tunnelKinds[kind].hasPort && (
              <NumberInput
                label="Public port"
                name="port"
                description="Left empty, a free one is given."
                min={1}
                max={65_535}
                hideControls
              />
            )}
          </ActionForm>
        )}
      </Modal>
    </>
  )
}
