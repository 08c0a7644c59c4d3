import { Button, Group, Stack, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'

import {
  DetachCustomDomainDocument,
  RemoveCustomDomainDocument,
  VerifyCustomDomainDocument,
} from '../gql/graphql.ts'
import type { CustomDomainsQuery, TlsStatus } from '../gql/graphql.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Copy } from '../ui/copy.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago, dayOf } from '../ui/time.tsx'
import type { Tone } from '../ui/tone.tsx'
import { StateWord } from '../ui/tone.tsx'
import { useAction } from '../ui/use-action.ts'
import { AttachDomain } from './attach-domain.tsx'
import { DomainCertificate } from './domain-certificate.tsx'

type Domain = NonNullable<
  NonNullable<CustomDomainsQuery['organization']>['customDomains']
>['nodes'][number]

interface Props {
  readonly domain: Domain
  readonly mayChange: boolean
  readonly onChanged: () => void
}

/** One custom domain: its proof, its records, its tunnel, its certificate. */
export function DomainPanel({ domain, mayChange, onChanged }: Props) {
  const [isRemoving, removing] = useDisclosure(false)
  const verify = useAction(VerifyCustomDomainDocument)
  const detach = useAction(DetachCustomDomainDocument)
  const remove = useAction(RemoveCustomDomainDocument)
  const isVerified = domain.status === 'VERIFIED'

  const check = async () => {
    await verify.run({ id: domain.id })
    onChanged()
  }
  const leave = async () => {
    await detach.run({ id: domain.id })
    onChanged()
  }
  const problem = verify.problem ?? detach.problem

  return (
    <Panel
      title={domain.domain}
      of={{ kind: 'full', value: domain }}
      actions={
        <>
          <StateWord tone={isVerified ? 'good' : 'warn'}>
            {isVerified ? 'Verified' : 'Waits for its records'}
          </StateWord>
          {mayChange && (
            <>
              <Button
                variant="default"
                size="xs"
                loading={verify.isBusy}
                onClick={() => void check()}
              >
                {isVerified ? 'Check again' : 'Verify'}
              </Button>
              <Button
                variant="default"
                size="xs"
                onClick={removing.open}
                aria-label={`Remove ${domain.domain}`}
              >
                Remove
              </Button>
            </>
          )}
        </>
      }
    >
      {() => (
        <Stack gap="md">
          {problem && <ProblemNote problem={problem} />}
          {domain.lastError && !isVerified && (
            <Text size="sm" className="tone-warn">
              {sentenceOf(domain.lastError)}
            </Text>
          )}
          <DnsRecords records={domain.dnsRecords} domain={domain.domain} />
          <dl className="facts">
            <dt>Last checked</dt>
            <dd>{domain.lastCheckedAt ? <Ago at={domain.lastCheckedAt} /> : 'not yet'}</dd>
            <dt>Tunnel</dt>
            <dd>
              {domain.tunnel ? (
                <Group gap="sm">
                  {domain.tunnel.name}
                  {mayChange && (
                    <Button
                      variant="default"
                      size="compact-xs"
                      loading={detach.isBusy}
                      onClick={() => void leave()}
                      aria-label={`Detach ${domain.domain}`}
                    >
                      Detach
                    </Button>
                  )}
                </Group>
              ) : isVerified && mayChange ? (
                <AttachDomain domainId={domain.id} domain={domain.domain} onAttached={onChanged} />
              ) : (
                'none; it can be attached once it is verified'
              )}
            </dd>
            <dt>Certificate</dt>
            <dd>
              <DomainCertificate domain={domain} mayChange={mayChange} onChanged={onChanged} />
            </dd>
            <dt>TLS</dt>
            <dd>
              <Tls tls={domain.tls} />
            </dd>
          </dl>
          <Confirm
            isOpen={isRemoving}
            title={`Remove ${domain.domain}?`}
            effect={`Visitors of ${domain.domain} no longer reach ${domain.tunnel ? `the tunnel ${domain.tunnel.name}` : 'any tunnel'}. To use it again, it must be verified anew.`}
            action="Remove the domain"
            onClose={removing.close}
            onConfirm={async () => {
              const outcome = await remove.run({ id: domain.id })
              if (!outcome.problem) onChanged()
              return outcome.problem
            }}
          />
        </Stack>
      )}
    </Panel>
  )
}

/** The check words its finding as a part of a sentence. */
function sentenceOf(finding: string): string {
  const text = finding.charAt(0).toUpperCase() + finding.slice(1)
  return /[.!?]$/.test(text) ? text : `${text}.`
}

interface RecordsProps {
  readonly records: Domain['dnsRecords']
  readonly domain: string
}

function DnsRecords({ records, domain }: RecordsProps) {
  return (
    <div className="scroll">
      <Table aria-label={`DNS records of ${domain}`} verticalSpacing={4} miw={720}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={70}>Type</Table.Th>
            <Table.Th w="29%">Name</Table.Th>
            <Table.Th w="29%">Value</Table.Th>
            <Table.Th w={120}>In DNS</Table.Th>
            <Table.Th>For</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {records.map((record) => (
            <Table.Tr key={`${record.type} ${record.name}`}>
              <Table.Td className="mono">{record.type}</Table.Td>
              <Table.Td>
                <Copyable value={record.name} what={`the name of the ${record.type} record`} />
              </Table.Td>
              <Table.Td>
                <Copyable value={record.value} what={`the value of the ${record.type} record`} />
              </Table.Td>
              <Table.Td>
                <Found found={record.found ?? null} />
              </Table.Td>
              <Table.Td>{record.purpose}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function Copyable({ value, what }: { value: string; what: string }) {
  return (
    <Group gap={2} wrap="nowrap" align="flex-start">
      <span className="mono" style={{ overflowWrap: 'anywhere' }}>
        {value}
      </span>
      <Copy value={value} what={what} />
    </Group>
  )
}

function Found({ found }: { found: boolean | null }) {
  if (found === null) return <StateWord tone="none">Not checked</StateWord>
  return found ? (
    <StateWord tone="good">Found</StateWord>
  ) : (
    <StateWord tone="bad">Missing</StateWord>
  )
}

const tlsWords = {
  VALID: { tone: 'good', label: 'Valid' },
  EXPIRING: { tone: 'warn', label: 'Expires soon' },
  EXPIRED: { tone: 'bad', label: 'Expired' },
  MISMATCH: { tone: 'bad', label: 'Is for another name' },
  UNREACHABLE: { tone: 'bad', label: 'Not reachable' },
} as const satisfies Record<TlsStatus, { tone: Tone; label: string }>

function Tls({ tls }: { tls: Domain['tls'] }) {
  if (!tls) return 'not probed yet'
  const { tone, label } = tlsWords[tls.status]
  return (
    <Stack gap={2}>
      <Group gap="sm">
        <StateWord tone={tone}>{label}</StateWord>
        {tls.expiresAt && <span>until {dayOf(tls.expiresAt)}</span>}
        {tls.issuer && <span>by {tls.issuer}</span>}
      </Group>
      <Text size="xs" c="dimmed">
        {tls.error ? `${tls.error} ` : ''}Probed <Ago at={tls.checkedAt} />.
      </Text>
    </Stack>
  )
}
