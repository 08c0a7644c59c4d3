import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { FormEvent } from 'react'

import { RemoveDomainCertificateDocument, SetDomainCertificateDocument } from '../gql/graphql.ts'
import type { CustomDomainsQuery } from '../gql/graphql.ts'
import { Confirm } from '../ui/confirm.tsx'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { dayOf } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'

type Domain = NonNullable<
  NonNullable<CustomDomainsQuery['organization']>['customDomains']
>['nodes'][number]

interface Props {
  readonly domain: Domain
  readonly mayChange: boolean
  readonly onChanged: () => void
}

/** The certificate that visitors of a domain are shown: which it is, and a way to bring another. */
export function DomainCertificate({ domain, mayChange, onChanged }: Props) {
  const { certificate } = domain
  const [isSetting, setting] = useDisclosure(false)
  const [isRemoving, removing] = useDisclosure(false)
  const remove = useAction(RemoveDomainCertificateDocument)

  return (
    <Stack gap={4} align="flex-start">
      {certificate ? (
        <>
          <span>
            by {certificate.issuer}, until {dayOf(certificate.expiresAt)}
          </span>
          <Text size="xs" c="dimmed" className="mono" style={{ overflowWrap: 'anywhere' }}>
            SHA-256 {certificate.fingerprint}
          </Text>
        </>
      ) : domain.status === 'VERIFIED' ? (
        'none of its own: visitors are shown the relay’s'
      ) : (
        'none; one can be set once the domain is verified'
      )}
      {mayChange && domain.status === 'VERIFIED' && (
        <Group gap="sm">
          <Button
            variant="default"
            size="compact-xs"
            onClick={setting.open}
            aria-label={`${certificate ? 'Replace' : 'Set'} the certificate of ${domain.domain}`}
          >
            {certificate ? 'Replace' : 'Set a certificate'}
          </Button>
          {certificate && (
            <Button
              variant="default"
              size="compact-xs"
              onClick={removing.open}
              aria-label={`Remove the certificate of ${domain.domain}`}
            >
              Remove
            </Button>
          )}
        </Group>
      )}
      <SetCertificate
        domain={domain}
        isOpen={isSetting}
        onClose={setting.close}
        onSet={() => {
          setting.close()
          onChanged()
        }}
      />
      <Confirm
        isOpen={isRemoving}
        title={`Remove the certificate of ${domain.domain}?`}
        effect={`Browsers of visitors over HTTPS warn of ${domain.domain} until another one is set. Its private key is deleted.`}
        action="Remove the certificate"
        onClose={removing.close}
        onConfirm={async () => {
          const outcome = await remove.run({ id: domain.id })
          if (!outcome.problem) onChanged()
          return outcome.problem
        }}
      />
    </Stack>
  )
}

interface SetProps {
  readonly domain: Domain
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onSet: () => void
}

function SetCertificate({ domain, isOpen, onClose, onSet }: SetProps) {
  const { run, isBusy, problem, reset } = useAction(SetDomainCertificateDocument)

  const close = () => {
    reset()
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const chain = formText(form, 'chain')
    const privateKey = formText(form, 'privateKey')
    const { data } = await run({ id: domain.id, chain, privateKey })
    if (data) onSet()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      size="lg"
      title={`Certificate of ${domain.domain}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={(event) => void submit(event)} autoComplete="off">
        <Stack>
          {problem && <ProblemNote problem={problem} />}
          <Textarea
            label="Certificate chain"
            name="chain"
            description="PEM: the domain’s own certificate first, then those that signed it. The file is often called fullchain.pem."
            placeholder="-----BEGIN CERTIFICATE-----"
            classNames={{ input: 'mono' }}
            rows={7}
            spellCheck={false}
            required
            data-autofocus
          />
          <Textarea
            label="Private key"
            name="privateKey"
            description="PEM, without a passphrase. It is kept sealed, and nobody is shown it again."
            placeholder="-----BEGIN PRIVATE KEY-----"
            classNames={{ input: 'mono' }}
            rows={5}
            spellCheck={false}
            required
          />
          <Group justify="flex-end">
            <Button type="submit" loading={isBusy}>
              Set the certificate
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
