import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { DeleteOrganizationDocument, RenameOrganizationDocument } from '../gql/graphql.ts'
import { useMay, usePlace } from '../shell/organization.ts'
import { useReadMe } from '../shell/use-read-me.ts'
import { formText } from '../ui/form-text.ts'
import { Page } from '../ui/page.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'

/** The organization itself: its name, and its end. */
export function SettingsPage() {
  const mayDelete = useMay('organization.delete')
  return (
    <Page title="Settings" about="What the organization is called, and how to delete it.">
      <Stack>
        <Name />
        {mayDelete && <Deletion />}
      </Stack>
    </Page>
  )
}

function Name() {
  const { organization } = usePlace()
  const mayChange = useMay('organization.update')
  const { run, isBusy, problem } = useAction(RenameOrganizationDocument)
  const [isSaved, setSaved] = useState(false)

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const name = formText(event.currentTarget, 'name')
    const { data } = await run({ organizationId: organization.id, name })
    setSaved(data !== null)
  }

  return (
    <section className="panel">
      <form className="panel-body" onSubmit={(event) => void submit(event)}>
        <Stack maw={420}>
          {problem && <ProblemNote problem={problem} />}
          <TextInput
            label="Name"
            name="name"
            defaultValue={organization.name}
            readOnly={!mayChange}
            maxLength={100}
            required
            onChange={() => setSaved(false)}
          />
          <TextInput
            label="Slug"
            description="In addresses. It does not change with the name."
            value={organization.slug}
            readOnly
          />
          {mayChange && (
            <Group>
              <Button type="submit" loading={isBusy}>
                Save
              </Button>
              {isSaved && (
                <Text size="sm" role="status">
                  Saved.
                </Text>
              )}
            </Group>
          )}
        </Stack>
      </form>
    </section>
  )
}

function Deletion() {
  const { organization } = usePlace()
  const [isOpen, dialog] = useDisclosure(false)
  const { run, isBusy, problem, reset } = useAction(DeleteOrganizationDocument)
  const [typed, setTyped] = useState('')
  const readMe = useReadMe()
  const navigate = useNavigate()

  const close = () => {
    reset()
    setTyped('')
    dialog.close()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const { data } = await run({ organizationId: organization.id, slug: typed })
    if (!data) return
    await readMe()
    await navigate({ to: '/' })
  }

  return (
    <section className="panel">
      <div className="panel-body">
        <Group justify="space-between">
          <div>
            <Text fw={600}>Delete the organization</Text>
            <Text size="sm" c="dimmed">
              Tunnels stop at once; domains, credentials and members are gone. It cannot be undone.
            </Text>
          </div>
          <Button variant="default" onClick={dialog.open}>
            Delete…
          </Button>
        </Group>
      </div>
      <Modal
        opened={isOpen}
        onClose={close}
        title={`Delete ${organization.name}?`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <Text size="sm">
              Every tunnel of it stops, its domains are removed and its credentials are revoked, for
              all its members, at once. Nobody can bring it back.
            </Text>
            {problem && <ProblemNote problem={problem} />}
            <TextInput
              label={`Type ${organization.slug} to be sure`}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              autoComplete="off"
              required
              data-autofocus
            />
            <Group justify="flex-end">
              <Button
                type="submit"
                color="red.8"
                loading={isBusy}
                disabled={typed.trim() !== organization.slug}
              >
                Delete the organization
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </section>
  )
}
