import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { FormEvent } from 'react'

import {
  AddEmailDomainDocument,
  RemoveEmailDomainDocument,
  VerifyEmailDomainDocument,
} from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Command } from '../ui/copy.tsx'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { dayOf } from '../ui/time.tsx'
import { StateWord } from '../ui/tone.tsx'
import { useAction } from '../ui/use-action.ts'
import type { EmailDomain } from './sso-page.tsx'

interface Props {
  readonly domains: readonly EmailDomain[]
  readonly onChanged: () => void
}

/** The domains whose addresses belong to the organization, each with the record that proves it. */
export function EmailDomains({ domains, onChanged }: Props) {
  const { organization } = usePlace()
  const [removing, setRemoving] = useState<EmailDomain | null>(null)
  const add = useAction(AddEmailDomainDocument)
  const remove = useAction(RemoveEmailDomainDocument)

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const domain = formText(form, 'domain').toLowerCase()
    const { data } = await add.run({ organizationId: organization.id, domain })
    if (!data) return
    form.reset()
    onChanged()
  }

  return (
    <Stack>
      <Text size="sm" c="dimmed" maw={720}>
        The identity provider can bring people with an address of these domains, and no others. A
        TXT record in DNS proves that a domain is yours; it has to stay.
      </Text>
      {domains.map((domain) => (
        <Domain
          key={domain.id}
          domain={domain}
          onChanged={onChanged}
          onRemove={() => setRemoving(domain)}
        />
      ))}
      {add.problem && <ProblemNote problem={add.problem} />}
      <form onSubmit={(event) => void submit(event)}>
        <Group align="flex-end" gap="sm">
          <TextInput
            label="Add a domain"
            name="domain"
            placeholder="example.com"
            required
            maxLength={253}
            w={280}
          />
          <Button type="submit" variant="default" loading={add.isBusy}>
            Add
          </Button>
        </Group>
      </form>
      {removing && (
        <Confirm
          isOpen
          title={`Remove ${removing.domain}?`}
          effect="Nobody new comes in with an address of it. Members who came before stay."
          action="Remove the domain"
          onClose={() => setRemoving(null)}
          onConfirm={async () => {
            const outcome = await remove.run({ id: removing.id })
            if (!outcome.problem) onChanged()
            return outcome.problem
          }}
        />
      )}
    </Stack>
  )
}

interface DomainProps {
  readonly domain: EmailDomain
  readonly onChanged: () => void
  readonly onRemove: () => void
}

function Domain({ domain, onChanged, onRemove }: DomainProps) {
  const verify = useAction(VerifyEmailDomainDocument)
  const isVerified = domain.status === 'VERIFIED'
  const check = async () => {
    await verify.run({ id: domain.id })
    onChanged()
  }
  return (
    <Stack gap="xs" role="group" aria-label={domain.domain}>
      <Group gap="sm">
        <Text fw={600}>{domain.domain}</Text>
        <StateWord tone={isVerified && !domain.provenUntil ? 'good' : 'warn'}>
          {isVerified ? 'Verified' : 'Waits for its record'}
        </StateWord>
        <Button
          variant="default"
          size="compact-sm"
          loading={verify.isBusy}
          onClick={() => void check()}
          aria-label={`${isVerified ? 'Check again:' : 'Verify'} ${domain.domain}`}
        >
          {isVerified ? 'Check again' : 'Verify'}
        </Button>
        <Button
          variant="default"
          size="compact-sm"
          onClick={onRemove}
          aria-label={`Remove ${domain.domain}`}
        >
          Remove
        </Button>
      </Group>
      {verify.problem && <ProblemNote problem={verify.problem} />}
      {domain.provenUntil && (
        <Text size="sm" className="tone-warn">
          Its record is missing: {domain.lastError}. Set it again before {dayOf(domain.provenUntil)}
          , or nobody new comes in by this domain.
        </Text>
      )}
      {(!isVerified || domain.provenUntil) && (
        <>
          {domain.lastError && !isVerified && (
            <Text size="sm" className="tone-warn">
              Not proven yet: {domain.lastError}.
            </Text>
          )}
          <Text size="sm">{isVerified ? 'The record:' : 'Set this TXT record, then verify:'}</Text>
          <Command isPlain what="the name of the TXT record">
            {domain.txtName}
          </Command>
          <Command isPlain what="the value of the TXT record">
            {domain.txtValue}
          </Command>
        </>
      )}
    </Stack>
  )
}
