import {
  Button,
  Fieldset,
  Group,
  NativeSelect,
  PasswordInput,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { ChangeEdgePolicyDocument } from '../gql/graphql.ts'
import type { TunnelQuery } from '../gql/graphql.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import { formOf, policyInputOf, providerNames } from './policy-form.ts'
import type { FormUser, PolicyForm } from './policy-form.ts'

interface Props {
  readonly tunnel: NonNullable<TunnelQuery['tunnel']>
  readonly onSaved: () => void
}

type Change = (changes: Partial<PolicyForm>) => void

/** Everything about the policy in one form: it is saved as a whole, and secrets that are left empty stay. */
export function EdgePolicyForm({ tunnel, onSaved }: Props) {
  const [form, setForm] = useState(() => formOf(tunnel))
  const { run, isBusy, problem } = useAction(ChangeEdgePolicyDocument)
  const change: Change = (changes) => setForm((before) => ({ ...before, ...changes }))

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const hostHeader = form.hostHeader.trim() === '' ? null : form.hostHeader.trim()
    const input = { policy: policyInputOf(form), hostHeader }
    const { data } = await run({ id: tunnel.id, input })
    if (data) onSaved()
  }

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <Fieldset legend="Who may visit">
          <Stack gap="sm">
            <Users users={form.users} onChange={(users) => change({ users })} />
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <Lines
                label="Allowed addresses"
                description="Addresses or blocks, one per line. Empty: all."
                placeholder="203.0.113.0/24"
                value={form.allowIps}
                onChange={(allowIps) => change({ allowIps })}
              />
              <Lines
                label="Denied addresses"
                description="Denied even when they are allowed."
                placeholder="198.51.100.7"
                value={form.denyIps}
                onChange={(denyIps) => change({ denyIps })}
              />
            </SimpleGrid>
            <Webhooks form={form} tunnel={tunnel} change={change} />
            <Lines
              label="Visitor certificates"
              description="PEM certificates that must have signed a visitor’s own, and their revocation lists. Over HTTPS only."
              value={form.visitorCa}
              onChange={(visitorCa) => change({ visitorCa })}
            />
          </Stack>
        </Fieldset>
        <Limits form={form} change={change} />
        <Changes form={form} change={change} />
        {problem && <ProblemNote problem={problem} />}
        <Group justify="flex-end">
          <Button type="submit" loading={isBusy}>
            Save the policy
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function Users({
  users,
  onChange,
}: {
  users: readonly FormUser[]
  onChange: (users: readonly FormUser[]) => void
}) {
  const replace = (index: number, changes: Partial<FormUser>) =>
    onChange(users.map((one, at) => (at === index ? { ...one, ...changes } : one)))
  return (
    <Stack gap="xs">
      <Text size="sm" fw={500}>
        Basic auth
      </Text>
      {users.map(({ user, password, isKnown }, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- Rows have no other identity while they are typed.
        <Group key={index} gap="xs" align="flex-end" wrap="nowrap">
          <TextInput
            aria-label={`User ${index + 1}`}
            placeholder="user"
            value={user}
            readOnly={isKnown}
            maxLength={128}
            onChange={({ currentTarget }) => replace(index, { user: currentTarget.value })}
          />
          <PasswordInput
            aria-label={`Password of user ${index + 1}`}
            placeholder={isKnown ? 'unchanged' : 'password'}
            autoComplete="new-password"
            value={password}
            required={!isKnown}
            maxLength={256}
            style={{ flex: 1 }}
            onChange={({ currentTarget }) => replace(index, { password: currentTarget.value })}
          />
          <Button
            variant="default"
            aria-label={`Remove user ${index + 1}`}
            onClick={() => onChange(users.filter((_, at) => at !== index))}
          >
            Remove
          </Button>
        </Group>
      ))}
      <Group>
        <Button
          variant="default"
          size="xs"
          onClick={() => onChange([...users, { user: '', password: '', isKnown: false }])}
        >
          Add a user
        </Button>
      </Group>
    </Stack>
  )
}

interface PartProps {
  readonly form: PolicyForm
  readonly change: Change
}

function Webhooks({ form, tunnel, change }: PartProps & Pick<Props, 'tunnel'>) {
  const isSet = tunnel.policy.webhookProvider?.toLowerCase() === form.webhookProvider
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      <NativeSelect
        label="Signed webhooks only"
        description="Everything else is refused."
        value={form.webhookProvider}
        onChange={({ currentTarget }) => change({ webhookProvider: currentTarget.value })}
        data={[
          { value: '', label: 'no, take every request' },
          ...Object.entries(providerNames).map(([value, label]) => ({ value, label })),
        ]}
      />
      {form.webhookProvider !== '' && (
        <PasswordInput
          label={form.webhookProvider === 'paypal' ? 'Webhook id' : 'Signing secret'}
          description={isSet ? 'It is set. Leave it empty to keep it.' : 'It is never shown again.'}
          autoComplete="off"
          value={form.webhookSecret}
          required={!isSet}
          maxLength={512}
          onChange={({ currentTarget }) => change({ webhookSecret: currentTarget.value })}
        />
      )}
    </SimpleGrid>
  )
}

function Limits({ form, change }: PartProps) {
  return (
    <Fieldset legend="Limits">
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <TextInput
          label="Requests per second"
          description="Over all relays."
          inputMode="decimal"
          placeholder="no limit"
          value={form.perSecond}
          onChange={({ currentTarget }) => change({ perSecond: currentTarget.value })}
        />
        <TextInput
          label="At once"
          description="After a pause."
          inputMode="numeric"
          placeholder="as per second"
          value={form.burst}
          onChange={({ currentTarget }) => change({ burst: currentTarget.value })}
        />
        <TextInput
          label="KB per second"
          description="Both directions."
          inputMode="decimal"
          placeholder="no limit"
          value={form.kilobytesPerSecond}
          onChange={({ currentTarget }) => change({ kilobytesPerSecond: currentTarget.value })}
        />
      </SimpleGrid>
    </Fieldset>
  )
}

function Changes({ form, change }: PartProps) {
  return (
    <Fieldset legend="What is changed on the way">
      <Stack gap="sm">
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <Lines
            label="Add to requests"
            description="Name: value, one per line."
            placeholder="X-Env: staging"
            value={form.addRequestHeaders}
            onChange={(addRequestHeaders) => change({ addRequestHeaders })}
          />
          <Lines
            label="Remove from requests"
            description="Names, one per line."
            value={form.removeRequestHeaders}
            onChange={(removeRequestHeaders) => change({ removeRequestHeaders })}
          />
          <Lines
            label="Add to responses"
            description="Name: value, one per line."
            value={form.addResponseHeaders}
            onChange={(addResponseHeaders) => change({ addResponseHeaders })}
          />
          <Lines
            label="Remove from responses"
            description="Names, one per line."
            placeholder="Server"
            value={form.removeResponseHeaders}
            onChange={(removeResponseHeaders) => change({ removeResponseHeaders })}
          />
        </SimpleGrid>
        <TextInput
          label="Host header"
          description="What the service gets as Host. Empty: the visitor’s own; rewrite: the service’s."
          placeholder="as the visitor sent it"
          maxLength={260}
          value={form.hostHeader}
          onChange={({ currentTarget }) => change({ hostHeader: currentTarget.value })}
        />
        <Switch
          label="Compress text that the service sends as it is"
          checked={form.compression}
          onChange={({ currentTarget }) => change({ compression: currentTarget.checked })}
        />
      </Stack>
    </Fieldset>
  )
}

interface LinesProps {
  readonly label: string
  readonly description: string
  readonly placeholder?: string
  readonly value: string
  readonly onChange: (value: string) => void
}

function Lines({ onChange, ...props }: LinesProps) {
  return (
    <Textarea
      autosize
      minRows={2}
      maxRows={8}
      spellCheck={false}
      {...props}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
    />
  )
}
