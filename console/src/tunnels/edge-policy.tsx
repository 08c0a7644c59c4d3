import { Button, Code, Modal, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Fragment, useState } from 'react'

import type { TunnelQuery } from '../gql/graphql.ts'
import { useMay } from '../shell/organization.ts'
import { Command } from '../ui/copy.tsx'
import { Panel } from '../ui/panel.tsx'
import { EdgePolicyForm } from './edge-policy-form.tsx'
import { isOpenPolicy, providerNames } from './policy-form.ts'

type Tunnel = NonNullable<TunnelQuery['tunnel']>

/** What the edge checks and changes for a tunnel, and the form that changes it while visitors are served. */
export function EdgePolicy({ tunnel, onChanged }: { tunnel: Tunnel; onChanged: () => void }) {
  const mayManage = useMay('tunnels.manage')
  const [isOpen, dialog] = useDisclosure(false)
  const [isSaved, setSaved] = useState(false)
  const mayChange = mayManage && tunnel.status !== 'DELETED'
  const saved = () => {
    dialog.close()
    setSaved(true)
    onChanged()
  }

  return (
    <>
      <Panel
        title="Edge policy"
        of={
          isOpenPolicy(tunnel.policy) ? { kind: 'empty' } : { kind: 'full', value: tunnel.policy }
        }
        actions={
          mayChange && (
            <Button variant="default" size="xs" onClick={dialog.open}>
              Change
            </Button>
          )
        }
        empty={
          <Stack gap="xs">
            {isSaved && <Saved />}
            <Text size="sm">
              Everyone may visit, as often as they like. Change it here, or from the command line,
              for example to ask visitors for the <Code>user:password</Code> in the variable
              SITE_LOGIN:
            </Text>
            <Command>{`sluice http 3000 --name ${tunnel.name} --basic-auth env:SITE_LOGIN`}</Command>
          </Stack>
        }
      >
        {(policy) => (
          <Stack gap="sm">
            {isSaved && <Saved />}
            <dl className="facts">
              {factsOf(policy).map(([name, value]) => (
                <Fragment key={name}>
                  <dt>{name}</dt>
                  <dd className={name.includes('ddress') ? 'mono' : undefined}>{value}</dd>
                </Fragment>
              ))}
            </dl>
          </Stack>
        )}
      </Panel>
      <Modal
        opened={isOpen}
        onClose={dialog.close}
        title={`Edge policy of ${tunnel.name}`}
        size="lg"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <EdgePolicyForm tunnel={tunnel} onSaved={saved} />
      </Modal>
    </>
  )
}

function Saved() {
  return (
    <Text size="sm" role="status">
      Saved. A connected agent takes it over within two seconds, and nobody is disconnected.
    </Text>
  )
}

/** What is set; what is not set is not mentioned. */
function factsOf(policy: Tunnel['policy']): [name: string, value: string][] {
  const { requestRate, bandwidthBytesPerSecond, requestHeaders, responseHeaders } = policy
  const provider = policy.webhookProvider
  const facts: [string, string | false | null][] = [
    ['Basic auth', policy.basicAuthUsers.join(', ')],
    ['Allowed addresses', policy.allowIps.join(', ')],
    ['Denied addresses', policy.denyIps.join(', ')],
    [
      'Request rate',
      requestRate && `${requestRate.perSecond} per second, ${requestRate.burst} at once`,
    ],
    [
      'Bandwidth',
      bandwidthBytesPerSecond ? `${bandwidthBytesPerSecond / 1_000} KB per second` : null,
    ],
    ['Request headers', changesText(requestHeaders)],
    ['Response headers', changesText(responseHeaders)],
    ['Compression', policy.compression && 'on'],
    ['Webhooks', provider && `only what ${nameOf(provider)} has signed; the secret is set`],
    ['Visitor certificates', policy.visitorCa ? 'asked for' : null],
  ]
  return facts.flatMap(([name, value]) => (value ? [[name, value]] : []))
}

function nameOf(provider: string): string {
  return Object.entries(providerNames).find(([key]) => key.toUpperCase() === provider)?.[1] ?? ''
}

function changesText({ add, remove }: Tunnel['policy']['requestHeaders']): string {
  const removed = remove.map((name) => `without ${name}`)
  const added = add.map(({ name, value }) => (value === null ? name : `${name}: ${value}`))
  return [...removed, ...added].join(', ')
}
