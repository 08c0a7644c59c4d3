import { Button, Group, Modal, Stack } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'

import {
  DeleteWebhookEndpointDocument,
  RotateWebhookSecretDocument,
  UpdateWebhookEndpointDocument,
} from '../gql/graphql.ts'
import { Confirm } from '../ui/confirm.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import { EndpointDialog } from './endpoint-dialog.tsx'
import { ShownSecret } from './shown-secret.tsx'
import type { Endpoint } from './webhooks-page.tsx'

interface Props {
  readonly endpoint: Endpoint
  readonly onChanged: () => void
  readonly onDeleted: () => void
}

/** What changes an endpoint itself, each with the question that belongs to it. */
export function EndpointActions({ endpoint, onChanged, onDeleted }: Props) {
  const { id, isEnabled, url } = endpoint
  const [asking, setAsking] = useState<'delete' | 'rotate' | null>(null)
  const [isChanging, changing] = useDisclosure(false)
  const [secret, setSecret] = useState<string | null>(null)
  const update = useAction(UpdateWebhookEndpointDocument)
  const remove = useAction(DeleteWebhookEndpointDocument)
  const rotate = useAction(RotateWebhookSecretDocument)

  const setEnabled = async () => {
    const { data } = await update.run({ id, input: { isEnabled: !isEnabled } })
    if (data) onChanged()
  }
  return (
    <>
      <Button variant="default" size="xs" onClick={changing.open}>
        Change
      </Button>
      <Button variant="default" size="xs" loading={update.isBusy} onClick={() => void setEnabled()}>
        {isEnabled ? 'Switch off' : 'Switch on'}
      </Button>
      <Button variant="default" size="xs" onClick={() => setAsking('rotate')}>
        New secret
      </Button>
      <Button variant="default" size="xs" onClick={() => setAsking('delete')}>
        Delete
      </Button>
      {update.problem && <ProblemNote problem={update.problem} />}
      {isChanging && (
        <EndpointDialog isOpen endpoint={endpoint} onClose={changing.close} onDone={onChanged} />
      )}
      <NewSecret secret={secret} onClose={() => setSecret(null)} />
      <Confirm
        isOpen={asking === 'rotate'}
        title="Make a new secret?"
        effect="For 24 hours messages carry a signature of each: change the receiver meanwhile. Then the old one is void."
        action="Make a new secret"
        onClose={() => setAsking(null)}
        onConfirm={async () => {
          const { data, problem } = await rotate.run({ id })
          if (data) setSecret(data.rotateWebhookSecret.secret)
          return problem
        }}
      />
      <Confirm
        isOpen={asking === 'delete'}
        title="Delete the endpoint?"
        effect={`${url} is told nothing any more, and what was sent to it is forgotten.`}
        action="Delete the endpoint"
        onClose={() => setAsking(null)}
        onConfirm={async () => {
          const { problem } = await remove.run({ id })
          if (!problem) onDeleted()
          return problem
        }}
      />
    </>
  )
}

function NewSecret({ secret, onClose }: { secret: string | null; onClose: () => void }) {
  return (
    <Modal
      opened={secret !== null}
      onClose={onClose}
      closeOnClickOutside={false}
      size="lg"
      title="The new secret"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        {secret && <ShownSecret secret={secret} />}
        <Group justify="flex-end">
          <Button onClick={onClose}>I have copied it</Button>
        </Group>
      </Stack>
    </Modal>
  )
}
