import type { PlanAndUsageQuery } from '../gql/graphql.ts'
import { bytesText, countText } from '../ui/figures.ts'

type Entitlements = Omit<PlanAndUsageQuery['plans'][number]['entitlements'], '__typename'>

interface Row {
  readonly key: keyof Entitlements
  readonly label: string
  readonly text: (value: number) => string
}

/** The entitlements in the order and words in which every page shows them. */
export const entitlementRows: readonly Row[] = [
  { key: 'maxTunnels', label: 'Tunnels', text: countText },
  { key: 'maxConcurrentConnections', label: 'Concurrent connections', text: countText },
  { key: 'maxCustomDomains', label: 'Custom domains', text: countText },
  { key: 'maxMembers', label: 'Members', text: countText },
  { key: 'requestsPerPeriod', label: 'Requests per period', text: countText },
  { key: 'bytesPerPeriod', label: 'Data per period', text: bytesText },
  {
    key: 'requestLogDays',
    label: 'Requests are kept',
    text: (days) => (days === 1 ? '1 day' : `${countText(days)} days`),
  },
]
