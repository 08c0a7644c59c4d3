import { Button, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'

import { AddCustomDomainDocument, CustomDomainsDocument } from '../gql/graphql.ts'
import type { CustomDomainsQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { useMay, usePlace } from '../shell/organization.ts'
import { ActionForm } from '../ui/action-form.tsx'
import { Command } from '../ui/copy.tsx'
import { Empty } from '../ui/empty.tsx'
import { formText } from '../ui/form-text.ts'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { useAction } from '../ui/use-action.ts'
import { DomainPanel } from './domain-panel.tsx'

const domainsOf = (data: CustomDomainsQuery) => data.organization?.customDomains

export function DomainsPage() {
  const { organization } = usePlace()
  const [isAdding, adding] = useDisclosure(false)
  const pages = usePages({
    document: CustomDomainsDocument,
    variables: { organizationId: organization.id },
    pick: domainsOf,
  })
  const list = loadedOf(pages, {
    path: 'organization.customDomains',
    pick: () => pages.nodes,
    isEmpty: (domains) => domains.length === 0,
  })
  const limit = pages.data?.organization?.entitlements?.maxCustomDomains
  const mayChange = useMay('domains.manage')

  return (
    <Page
      title="Domains"
      about="Serve a tunnel under a domain of your own. Two DNS records prove that it is yours and lead visitors here."
      actions={mayChange && <Button onClick={adding.open}>Add a domain</Button>}
    >
      {list.kind === 'full' ? (
        <Stack>
          {list.value.map((domain) => (
            <DomainPanel
              key={domain.id}
              domain={domain}
              mayChange={mayChange}
              onChanged={pages.refetch}
            />
          ))}
          <div className="foot-alone">
            <LoadMore
              {...pages}
              count={list.value.length}
              what={['domain', 'domains']}
              max={limit}
            />
          </div>
        </Stack>
      ) : (
        <Panel
          of={list}
          onRetry={pages.refetch}
          empty={
            <Empty
              title="No domain yet"
              action={mayChange && <Button onClick={adding.open}>Add the first one</Button>}
            >
              <Text size="sm" c="dimmed">
                You need a domain whose DNS you can change, and a tunnel to attach it to:
              </Text>
              <Command>sluice http 3000</Command>
            </Empty>
          }
        >
          {() => null}
        </Panel>
      )}
      <AddDialog isOpen={isAdding} onClose={adding.close} onAdded={pages.refetch} />
    </Page>
  )
}

interface DialogProps {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onAdded: () => void
}

function AddDialog({ isOpen, onClose, onAdded }: DialogProps) {
  const { organization } = usePlace()
  const action = useAction(AddCustomDomainDocument)

  const close = () => {
    action.reset()
    onClose()
  }
  const submit = async (form: HTMLFormElement) => {
    const domain = formText(form, 'domain').toLowerCase()
    const { data } = await action.run({ organizationId: organization.id, domain })
    if (!data) return
    onAdded()
    close()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title="Add a domain"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <ActionForm of={action} label="Add" onSubmit={submit}>
        <TextInput
          label="Domain"
          name="domain"
          placeholder="app.example.com"
          description="Without https:// and without a path."
          required
          maxLength={253}
          data-autofocus
        />
      </ActionForm>
    </Modal>
  )
}
