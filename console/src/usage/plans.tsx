import { Badge, Button, Group, Table, Text } from '@mantine/core'

import { ChangePlanDocument } from '../gql/graphql.ts'
import type { PlanAndUsageQuery } from '../gql/graphql.ts'
import { useMe } from '../shell/me.ts'
import { usePlace } from '../shell/organization.ts'
import { priceText } from '../ui/figures.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import { entitlementRows } from './entitlements.ts'

interface Props {
  readonly plans: PlanAndUsageQuery['plans']
  readonly currentId: string | null
  readonly onChanged: () => void
}

/** The plans side by side. Until there is a checkout, platform admins change them. */
export function Plans({ plans, currentId, onChanged }: Props) {
  const { isAdmin } = useMe()
  const { organization } = usePlace()
  const { run, isBusy, problem } = useAction(ChangePlanDocument)

  const change = async (planId: string) => {
    const { data } = await run({ organizationId: organization.id, planId })
    if (data) onChanged()
  }

  return (
    <>
      {problem && (
        <div className="panel-body">
          <ProblemNote problem={problem} />
        </div>
      )}
      <div className="scroll">
        <Table aria-label="All plans" miw={760}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Per month</Table.Th>
              {plans.map((plan) => (
                <Table.Th key={plan.id} scope="col">
                  <Group gap="xs" wrap="nowrap">
                    {plan.name}
                    {plan.id === currentId && <Badge>Yours</Badge>}
                  </Group>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            <Table.Tr>
              <Table.Th scope="row">Price</Table.Th>
              {plans.map((plan) => (
                <Table.Td key={plan.id}>
                  <Text size="lg" fw={650}>
                    {priceText(plan.monthlyPriceMinor, plan.currency)}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {plan.description}
                  </Text>
                </Table.Td>
              ))}
            </Table.Tr>
            {entitlementRows.map(({ key, label, text }) => (
              <Table.Tr key={key}>
                <Table.Th scope="row">{label}</Table.Th>
                {plans.map((plan) => (
                  <Table.Td key={plan.id}>{text(plan.entitlements[key])}</Table.Td>
                ))}
              </Table.Tr>
            ))}
            {isAdmin && (
              <Table.Tr>
                <Table.Th scope="row">As platform admin</Table.Th>
                {plans.map((plan) => (
                  <Table.Td key={plan.id}>
                    {plan.id !== currentId && (
                      <Button
                        variant="default"
                        size="xs"
                        loading={isBusy}
                        onClick={() => void change(plan.id)}
                      >
                        Change to {plan.name}
                      </Button>
                    )}
                  </Table.Td>
                ))}
              </Table.Tr>
            )}
          </Table.Tbody>
        </Table>
      </div>
      {!isAdmin && (
        <div className="panel-foot">
          <Text size="xs" c="dimmed">
            To change the plan, ask the operator of this server.
          </Text>
        </div>
      )}
    </>
  )
}
