import {
  Button,
  Checkbox,
  Group,
  Modal,
  NumberInput,
  SimpleGrid,
  Stack,
  TextInput,
} from '@mantine/core'
import { isWebhookEvent, webhookEventNames, webhookEvents } from '@sluice/schema/webhook-events'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { CreateWebhookEndpointDocument, UpdateWebhookEndpointDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import { ShownSecret } from './shown-secret.tsx'
import type { Endpoint } from './webhooks-page.tsx'

/** What a new endpoint takes at first: everything but single requests, which may be many. */
const firstEvents = webhookEventNames.filter((name) => name !== 'request.captured')
const capturedPerMinuteFirst = 60
const capturedPerMinuteMax = 600

interface Props {
  readonly isOpen: boolean
  /** The endpoint to change; a new one when absent. */
  readonly endpoint?: Endpoint
  readonly onClose: () => void
  readonly onDone: (id: string) => void
}

/** Makes an endpoint, and shows its secret this once, or changes one. */
export function EndpointDialog({ isOpen, endpoint, onClose, onDone }: Props) {
  const { organization } = usePlace()
  const create = useAction(CreateWebhookEndpointDocument)
  const update = useAction(UpdateWebhookEndpointDocument)
  const [secret, setSecret] = useState<string | null>(null)
  const [events, setEvents] = useState<string[]>([...(endpoint?.events ?? firstEvents)])
  const [capturedMax, setCapturedMax] = useState(
    endpoint?.capturedPerMinuteMax ?? capturedPerMinuteFirst,
  )
  const problem = create.problem ?? update.problem

  const close = () => {
    setSecret(null)
    create.reset()
    update.reset()
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const input = {
      url: formText(event.currentTarget, 'url'),
      description: formText(event.currentTarget, 'description'),
      events: events.filter(isWebhookEvent),
      capturedPerMinuteMax: capturedMax,
    }
    if (endpoint) {
      const { data } = await update.run({ id: endpoint.id, input })
      if (!data) return
      onDone(endpoint.id)
      close()
      return
    }
    const { data } = await create.run({ organizationId: organization.id, input })
    if (!data) return
    setSecret(data.createWebhookEndpoint.secret)
    onDone(data.createWebhookEndpoint.endpoint.id)
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      // A click beside the dialog must not throw away what is shown only once.
      closeOnClickOutside={secret === null}
      size="lg"
      title={
        secret ? 'The secret of the endpoint' : endpoint ? 'Change the endpoint' : 'Add an endpoint'
      }
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {secret ? (
        <Stack>
          <ShownSecret secret={secret} />
          <Group justify="flex-end">
            <Button onClick={close}>I have copied it</Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            {problem && <ProblemNote problem={problem} />}
            <TextInput
              label="Address"
              name="url"
              type="url"
              description="https, reachable from the internet."
              placeholder="https://example.com/hooks/sluice"
              defaultValue={endpoint?.url ?? ''}
              required
              maxLength={2048}
              data-autofocus
            />
            <TextInput
              label="Description"
              name="description"
              defaultValue={endpoint?.description ?? ''}
              maxLength={200}
            />
            <Checkbox.Group label="Events" value={events} onChange={setEvents}>
              <SimpleGrid cols={{ base: 1, sm: 2 }} mt="xs" spacing="xs">
                {webhookEventNames.map((name) => (
                  <Checkbox
                    key={name}
                    value={name}
                    label={name}
                    description={webhookEvents[name]}
                  />
                ))}
              </SimpleGrid>
            </Checkbox.Group>
            {events.includes('request.captured') && (
              <NumberInput
                label="Requests per minute"
                description="At most this many are told; the others are left out."
                min={1}
                max={capturedPerMinuteMax}
                allowDecimal={false}
                value={capturedMax}
                onChange={(value) => setCapturedMax(Number(value) || 1)}
              />
            )}
            <Group justify="flex-end">
              <Button
                type="submit"
                loading={create.isBusy || update.isBusy}
                disabled={events.length === 0}
              >
                {endpoint ? 'Save' : 'Add'}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
