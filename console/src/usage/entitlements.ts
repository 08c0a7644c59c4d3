import type { PlanAndUsageQuery } from '../gql/graphql.ts'
import { bytesText, countText } from '../ui/figures.ts'

type Entitlements = Omit<PlanAndUsageQuery['plans'][number]['entitlements'], '__typename'>

interface Row {
  readonly key: keyof Entitlements
  readonly label: string
  readonly text: (value: Entitlements[keyof Entitlements]) => string
}

const count = (value: number | boolean) => countText(Number(value))

/** The entitlements in the order and words in which every page shows them. */
export const entitlementRows: readonly Row[] = [
  { key: 'maxTunnels', label: 'Tunnels', text: count },
  { key: 'maxConcurrentConnections', label: 'Concurrent connections', text: count },
  { key: 'maxCustomDomains', label: 'Custom domains', text: count },
  { key: 'portTunnels', label: 'TCP and UDP tunnels', text: (value) => (value ? 'yes' : 'no') },
  { key: 'maxMembers', label: 'Members', text: count },
  { key: 'requestsPerPeriod', label: 'Requests per period', text: count },
  { key: 'bytesPerPeriod', label: 'Data per period', text: (value) => bytesText(Number(value)) },
  {
    key: 'requestLogDays',
    label: 'Requests are kept',
    text: (days) => (days === 1 ? '1 day' : `${count(days)} days`),
  },
]
