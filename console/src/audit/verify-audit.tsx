import { Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { useClient } from 'urql'
import type { Client } from 'urql'

import type { Problem } from '../graph/problem.ts'
import { problemAt, unreachable } from '../graph/problem.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { StateWord } from '../ui/tone.tsx'
import { integrityOf, useAudit } from './audit-source.ts'
import type { AuditSource, Integrity } from './audit-source.ts'

type Fault = NonNullable<Integrity['firstBad']>['fault']

/** What a fault means to whoever reads it here. */
const faults: Record<Fault, string> = {
  CHANGED: 'is not what was sealed here',
  MISSING: 'is gone',
  INSERTED: 'was put in without being sealed',
  REORDERED: 'was sealed at another place',
  REWRITTEN: 'belongs to another chain than the one that was signed',
  TRUNCATED: 'and what follows was cut off: it was signed, and is gone',
  HEAD_FORGED: 'is covered by a signed head that this server did not sign',
}

type Verdict =
  | { readonly kind: 'none' }
  | { readonly kind: 'running'; readonly count: number }
  | { readonly kind: 'failed'; readonly problem: Problem }
  | { readonly kind: 'done'; readonly count: number; readonly last: Integrity }

/** Has the server verify the whole chain, piece by piece, and names the first bad row. */
export function VerifyAudit() {
  const client = useClient()
  const source = useAudit()
  const [verdict, setVerdict] = useState<Verdict>({ kind: 'none' })

  const verify = async () => {
    setVerdict({ kind: 'running', count: 0 })
    const progress = (count: number) => setVerdict({ kind: 'running', count })
    setVerdict(await verifyAll(client, source, progress))
  }

  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text size="sm" maw={640}>
          Each entry is sealed with the one before it. Verifying finds what was changed, removed,
          put in or moved, and compares with the heads that were signed.
        </Text>
        <Button loading={verdict.kind === 'running'} onClick={() => void verify()}>
          Verify
        </Button>
      </Group>
      <div role="status">
        {verdict.kind === 'running' && (
          <Text size="sm">{verdict.count} entries are verified …</Text>
        )}
        {verdict.kind === 'done' && <Outcome count={verdict.count} last={verdict.last} />}
      </div>
      {verdict.kind === 'failed' && (
        <ProblemNote problem={verdict.problem} onRetry={() => void verify()} />
      )}
    </Stack>
  )
}

function Outcome({ count, last }: { count: number; last: Integrity }) {
  const { firstBad, signedHead, unsealed, headHash } = last
  if (firstBad) {
    const name = firstBad.sequence === null ? 'An entry' : `Entry ${firstBad.sequence}`
    return (
      <Stack gap={4}>
        <StateWord tone="bad">
          {name} {faults[firstBad.fault]}.
        </StateWord>
        {firstBad.entryId && (
          <Text className="mono" size="xs">
            {firstBad.entryId}
          </Text>
        )}
        <Text size="sm" c="dimmed">
          {count} entries before it are as they were sealed.
        </Text>
      </Stack>
    )
  }
  return (
    <Stack gap={4}>
      <StateWord tone="good">
        All {count} entries are as they were sealed
        {unsealed > 0 && `, and ${unsealed} will be within seconds`}.
      </StateWord>
      {headHash && (
        <Text className="mono" size="xs" style={{ overflowWrap: 'anywhere' }}>
          {headHash}
        </Text>
      )}
      {signedHead && (
        <Text size="sm" c="dimmed">
          They agree with the head of entry {signedHead.sequence}, signed <Ago at={signedHead.at} />
          .
        </Text>
      )}
    </Stack>
  )
}

async function verifyAll(
  client: Client,
  source: AuditSource,
  progress: (count: number) => void,
): Promise<Verdict> {
  let count = 0
  let from = 1
  for (;;) {
    const { data, error } = await client
      .query(source.integrity, { ...source.variables, from }, { requestPolicy: 'network-only' })
      .toPromise()
    const last = data && integrityOf(data)
    if (!last) {
      return { kind: 'failed', problem: problemAt(error) ?? unreachable('the answer was empty') }
    }
    count += last.count
    progress(count)
    if (last.next === null) return { kind: 'done', count, last }
    from = last.next
  }
}
