import { Badge, SimpleGrid, Stack, Text } from '@mantine/core'
import { useQuery } from 'urql'

import { PlanAndUsageDocument } from '../gql/graphql.ts'
import type { PlanAndUsageQuery } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePlace } from '../shell/organization.ts'
import { bytesText, countText } from '../ui/figures.ts'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { dayOf } from '../ui/time.tsx'
import { entitlementRows } from './entitlements.ts'
import { Plans } from './plans.tsx'
import type { AtLimit } from './usage-words.ts'
import { meterWords } from './usage-words.ts'

type Usage = NonNullable<NonNullable<PlanAndUsageQuery['organization']>['usage']>

export function UsagePage() {
  const { organization } = usePlace()
  const [answer, execute] = useQuery({
    query: PlanAndUsageDocument,
    variables: { organizationId: organization.id },
  })
  const refetch = () => execute({ requestPolicy: 'network-only' })
  const { data, error, fetching } = answer
  const state = { data, error, fetching }
  const usage = loadedOf(state, {
    path: 'organization.usage',
    pick: (all) => all.organization?.usage,
  })
  const entitlements = loadedOf(state, {
    path: 'organization.entitlements',
    pick: (all) => all.organization?.entitlements,
  })
  const plans = loadedOf(state, {
    path: 'plans',
    pick: (all) => all.plans,
    isEmpty: (all) => all.length === 0,
  })
  const plan = data?.organization?.plan

  return (
    <Page
      title="Plan and usage"
      about="What your plan includes, and how much of it this period has taken."
    >
      <Stack>
        <Panel title="This period" of={usage} onRetry={refetch}>
          {(value) => <Meters usage={value} />}
        </Panel>
        <Panel
          title="Entitlements"
          of={entitlements}
          onRetry={refetch}
          actions={plan && <Badge size="lg">{plan.name}</Badge>}
        >
          {(value) => (
            <dl className="facts" data-wide>
              {entitlementRows.map(({ key, label, text }) => (
                <div key={key} style={{ display: 'contents' }}>
                  <dt>{label}</dt>
                  <dd>{text(value[key])}</dd>
                </div>
              ))}
            </dl>
          )}
        </Panel>
        <Panel
          title="All plans"
          of={plans}
          isFlush
          onRetry={refetch}
          empty={<Text size="sm">This server offers no plans. Ask its operator.</Text>}
        >
          {(value) => <Plans plans={value} currentId={plan?.id ?? null} onChanged={refetch} />}
        </Panel>
      </Stack>
    </Page>
  )
}

function Meters({ usage }: { usage: Usage }) {
  const { tunnels, requests, bytes, periodStart, periodEnd } = usage
  return (
    <Stack gap="lg">
      <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="xl">
        <Meter
          label="Tunnels"
          {...tunnels}
          text={countText}
          atLimit="New tunnels are refused until one is deleted."
        />
        <Meter
          label="Requests"
          {...requests}
          text={countText}
          atLimit="Requests go on; the organization is asked to choose a larger plan."
        />
        <Meter
          label="Data moved"
          {...bytes}
          text={bytesText}
          atLimit="Data goes on moving; the organization is asked to choose a larger plan."
        />
      </SimpleGrid>
      <Text size="xs" c="dimmed">
        Requests and data are counted from {dayOf(periodStart)} and start again at zero on{' '}
        {dayOf(periodEnd)}.
      </Text>
    </Stack>
  )
}

interface MeterProps {
  readonly label: string
  readonly used: number
  readonly limit: number
  readonly text: (value: number) => string
  readonly atLimit: AtLimit
}

function Meter({ label, used, limit, text, atLimit }: MeterProps) {
  const { percent, tone, words } = meterWords({ used, limit }, atLimit)
  return (
    <div>
      <Text size="sm" fw={600}>
        {label}
      </Text>
      <Text size="lg" fw={650} mb={6}>
        {text(used)}{' '}
        <Text span size="sm" c="dimmed">
          of {text(limit)}
        </Text>
      </Text>
      <div
        className="meter"
        data-tone={tone}
        role="meter"
        aria-label={label}
        aria-valuenow={Math.min(percent, 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={`${text(used)} of ${text(limit)}, ${percent} %`}
      >
        <div style={{ width: `${Math.min(percent, 100)}%` }} />
      </div>
      {words && (
        <Text size="xs" mt={6} className={tone === 'none' ? '' : `tone-${tone}`}>
          {words}
        </Text>
      )}
    </div>
  )
}
