import {
  ActionIcon,
  Autocomplete,
  Button,
  Group,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
} from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { useQuery } from 'urql'

import { ConfigureSsoRolesDocument, RoleChoicesDocument } from '../gql/graphql.ts'
import { isRole, roleChoices, usePlace } from '../shell/organization.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import type { StepProps } from './sso-page.tsx'

/** A built-in role by its name, a custom one by its id. */
type Choice = string

interface Rule {
  readonly key: number
  readonly value: string
  readonly choice: Choice
}

const rulesMax = 50

/** Which role people get when they sign in. */
export function RoleRules({ connection, onChanged }: StepProps) {
  const { organization } = usePlace()
  const { run, isBusy, problem } = useAction(ConfigureSsoRolesDocument)
  const choices = useChoices()
  const [isSaved, setSaved] = useState(false)
  const [admits, setAdmits] = useState(connection.admitsNewMembers)
  const [attribute, setAttribute] = useState(connection.roleAttribute ?? '')
  const [byDefault, setByDefault] = useState<Choice>(
    connection.defaultCustomRole?.id ?? connection.defaultRole,
  )
  const [rules, setRules] = useState<readonly Rule[]>(() =>
    connection.roleMappings.map(({ value, role, customRole }, key) => ({
      key,
      value,
      choice: customRole?.id ?? role,
    })),
  )
  const told = connection.lastTest?.attributes ?? []

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    setSaved(false)
    const { role: defaultRole, customRoleId: defaultCustomRoleId } = givenBy(byDefault)
    const { data } = await run({
      input: {
        organizationId: organization.id,
        admitsNewMembers: admits,
        roleAttribute: attribute.trim() || null,
        defaultRole,
        defaultCustomRoleId,
        mappings: rules.map(({ value, choice }) => ({ value, ...givenBy(choice) })),
      },
    })
    if (!data) return
    setSaved(true)
    onChanged()
  }

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <Switch
          label="People who are no members yet become members by signing in"
          checked={admits}
          onChange={(event) => setAdmits(event.currentTarget.checked)}
        />
        <Group align="flex-start">
          <Select
            label="Role of new members"
            data={choices}
            value={byDefault}
            onChange={(value) => value && setByDefault(value)}
            allowDeselect={false}
            w={240}
          />
          <Autocomplete
            label="Attribute that decides the role"
            placeholder="groups"
            description="Empty: roles are given here, and stay."
            data={told.map(({ name }) => name)}
            value={attribute}
            onChange={setAttribute}
            maxLength={200}
            w={280}
            inputWrapperOrder={['label', 'input', 'description']}
          />
        </Group>
        {attribute.trim() !== '' && (
          <Stack gap="xs">
            <Text size="sm" c="dimmed">
              The first rule that fits decides, at each sign-in. Without one it is the role of new
              members. Owners stay owners.
            </Text>
            <Rules rules={rules} choices={choices} onChange={setRules} />
          </Stack>
        )}
        {problem && <ProblemNote problem={problem} />}
        <Group gap="sm">
          <Button type="submit" variant="default" loading={isBusy}>
            Save the roles
          </Button>
          {isSaved && (
            <Text size="sm" role="status">
              Saved.
            </Text>
          )}
        </Group>
      </Stack>
    </form>
  )
}

interface RulesProps {
  readonly rules: readonly Rule[]
  readonly choices: readonly { value: string; label: string }[]
  readonly onChange: (rules: readonly Rule[]) => void
}

function Rules({ rules, choices, onChange }: RulesProps) {
  const change = (key: number, changed: Partial<Rule>) =>
    onChange(rules.map((rule) => (rule.key === key ? { ...rule, ...changed } : rule)))
  return (
    <>
      {rules.map(({ key, value, choice }, index) => (
        <Group key={key} gap="sm">
          <TextInput
            aria-label={`Value of rule ${index + 1}`}
            placeholder="developers"
            value={value}
            onChange={(event) => change(key, { value: event.currentTarget.value })}
            required
            maxLength={500}
            w={280}
          />
          <Select
            aria-label={`Role of rule ${index + 1}`}
            data={[...choices]}
            value={choice}
            onChange={(next) => next && change(key, { choice: next })}
            allowDeselect={false}
            w={200}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Remove rule ${index + 1}`}
            onClick={() => onChange(rules.filter((rule) => rule.key !== key))}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
      ))}
      {rules.length < rulesMax && (
        <Group>
          <Button
            variant="default"
            size="xs"
            onClick={() => {
              const key = Math.max(-1, ...rules.map((rule) => rule.key)) + 1
              onChange([...rules, { key, value: '', choice: 'DEVELOPER' }])
            }}
          >
            Add a rule
          </Button>
        </Group>
      )}
    </>
  )
}

function givenBy(choice: Choice) {
  return isRole(choice)
    ? { role: choice, customRoleId: null }
    : { role: null, customRoleId: choice }
}

/** Every role but owner: nobody becomes one by single sign-on. */
function useChoices() {
  const { organization } = usePlace()
  const variables = { organizationId: organization.id }
  const [{ data }] = useQuery({ query: RoleChoicesDocument, variables })
  const custom = data?.organization?.roles ?? []
  return [
    ...roleChoices.filter(({ value }) => value !== 'OWNER'),
    ...custom.map(({ id, name }) => ({ value: id, label: name })),
  ]
}
