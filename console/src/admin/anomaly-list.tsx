import { NativeSelect, Table, Text } from '@mantine/core'

import type { AdminAnomaliesQuery, AnomalyKind, AnomalySeverity } from '../gql/graphql.ts'
import { Ago } from '../ui/time.tsx'
import type { Tone } from '../ui/tone.tsx'
import { StateWord } from '../ui/tone.tsx'

type Anomaly = AdminAnomaliesQuery['anomalies']['nodes'][number]

const kinds: Record<AnomalyKind, string> = {
  SIGN_IN_FAILURES: 'Many wrong passwords or codes',
  RATE_LIMITED: 'Came too often',
  NETWORK_BLOCKED: 'A network was blocked',
  NEW_NETWORK: 'Sign-in from a new network',
  IMPOSSIBLE_TRAVEL: 'Impossible travel',
  TOKEN_NEW_NETWORK: 'Credential used from a new network',
  REFRESH_REUSED: 'Refresh token used twice',
  RECOVERY_CODE_USED: 'Recovery code used',
  SIGNATURE_FAILED: 'Wrong signature',
  IMPERSONATION: 'Staff acted as a user',
}

const severities: Record<AnomalySeverity, { readonly tone: Tone; readonly word: string }> = {
  LOW: { tone: 'none', word: 'Low' },
  MEDIUM: { tone: 'warn', word: 'Medium' },
  HIGH: { tone: 'bad', word: 'High' },
}

const choices = [
  { value: '', label: 'All severities' },
  { value: 'HIGH', label: 'High' },
  { value: 'MEDIUM', label: 'Medium' },
  { value: 'LOW', label: 'Low' },
]

interface FilterProps {
  readonly severity: AnomalySeverity | null
  readonly onChoose: (severity: AnomalySeverity | null) => void
}

export function SeverityFilter({ severity, onChoose }: FilterProps) {
  return (
    <NativeSelect
      aria-label="Severity"
      data={choices}
      value={severity ?? ''}
      onChange={(event) => onChoose((event.currentTarget.value || null) as AnomalySeverity | null)}
    />
  )
}

export function AnomalyTable({ anomalies }: { anomalies: readonly Anomaly[] }) {
  return (
    <div className="scroll">
      <Table aria-label="Anomalies" miw={760}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Last seen</Table.Th>
            <Table.Th>What</Table.Th>
            <Table.Th>Severity</Table.Th>
            <Table.Th>About</Table.Th>
            <Table.Th ta="right">Times</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {anomalies.map((one) => (
            <Table.Tr key={one.id}>
              <Table.Td>
                <Ago at={one.lastAt} />
              </Table.Td>
              <Table.Td>
                {kinds[one.kind]}
                {one.details && (
                  <Text size="xs" c="dimmed">
                    {one.details}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <StateWord tone={severities[one.severity].tone}>
                  {severities[one.severity].word}
                </StateWord>
              </Table.Td>
              <Table.Td>
                {one.user && <div className="whole">{one.user.email}</div>}
                <span className="mono whole">{one.subject}</span>
                {one.ip && (
                  <Text size="xs" c="dimmed" className="mono">
                    from {one.ip}
                  </Text>
                )}
              </Table.Td>
              <Table.Td ta="right">{one.count}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
