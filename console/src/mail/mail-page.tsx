import { Button, Modal, Stack, Table, Text } from '@mantine/core'
import { useState } from 'react'

import { MailsDocument, RetryMailDocument } from '../gql/graphql.ts'
import type { MailsQuery, MailState } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePages } from '../graph/use-pages.ts'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import type { Tone } from '../ui/tone.tsx'
import { StateWord } from '../ui/tone.tsx'
import { useAction } from '../ui/use-action.ts'

const mailsOf = (data: MailsQuery) => data.mails
type Mail = MailsQuery['mails']['nodes'][number]

const states: Record<MailState, { readonly tone: Tone; readonly word: string }> = {
  WAITING: { tone: 'notice', word: 'Waiting' },
  SENT: { tone: 'good', word: 'Sent' },
  KEPT: { tone: 'none', word: 'Kept here' },
  DROPPED: { tone: 'none', word: 'Not needed' },
  FAILED: { tone: 'bad', word: 'Given up' },
}

/** What this server mails, for its staff; without a mail server, the mails themselves. */
export function MailPage() {
  const [reading, setReading] = useState<Mail | null>(null)
  const retry = useAction(RetryMailDocument)
  const pages = usePages({ document: MailsDocument, variables: {}, pick: mailsOf })
  const list = loadedOf(pages, {
    path: 'mails',
    pick: () => pages.nodes,
    isEmpty: (mails) => mails.length === 0,
  })
  const sendAgain = async ({ id }: Mail) => {
    const { data } = await retry.run({ id })
    if (data) pages.refetch()
  }

  return (
    <Page
      title="Mail of this server"
      about="Mails that wait, were sent, or were given up. Without a mail server they are kept here and can be read: whoever opens a link in one acts for its account."
    >
      {retry.problem && <ProblemNote problem={retry.problem} />}
      <Panel
        of={list}
        isFlush
        onRetry={pages.refetch}
        empty={
          <Empty title="No mail yet">
            <Text size="sm" c="dimmed">
              The first one goes out when somebody signs up. To send mails for real, set SMTP_URL.
            </Text>
          </Empty>
        }
      >
        {(mails) => (
          <>
            <MailTable mails={mails} onRead={setReading} onRetry={(mail) => void sendAgain(mail)} />
            <LoadMore {...pages} count={mails.length} what={['mail', 'mails']} />
          </>
        )}
      </Panel>
      <Modal
        opened={reading !== null}
        onClose={() => setReading(null)}
        title={reading?.subject}
        size="lg"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack gap="sm">
          <Text size="sm" c="dimmed">
            To {reading?.address}
          </Text>
          <MailText text={reading?.text ?? ''} />
        </Stack>
      </Modal>
    </Page>
  )
}

interface TableProps {
  readonly mails: readonly Mail[]
  readonly onRead: (mail: Mail) => void
  readonly onRetry: (mail: Mail) => void
}

function MailTable({ mails, onRead, onRetry }: TableProps) {
  return (
    <div className="scroll">
      <Table aria-label="Mails" miw={720}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            <Table.Th>To</Table.Th>
            <Table.Th>About</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>
              <span className="visually-hidden">Actions</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {mails.map((mail) => (
            <Table.Tr key={mail.id}>
              <Table.Td>
                <Ago at={mail.createdAt} />
              </Table.Td>
              <Table.Td className="whole">{mail.address}</Table.Td>
              <Table.Td className="mono">{mail.kind}</Table.Td>
              <Table.Td>
                <StateWord tone={states[mail.state].tone}>{states[mail.state].word}</StateWord>
                {mail.lastError && (
                  <Text size="xs" c="dimmed" className="mono" maw={320}>
                    {mail.lastError}
                  </Text>
                )}
              </Table.Td>
              <Table.Td ta="right">
                {mail.state === 'KEPT' && (
                  <Button
                    variant="default"
                    size="xs"
                    onClick={() => onRead(mail)}
                    aria-label={`Read the mail to ${mail.address}`}
                  >
                    Read
                  </Button>
                )}
                {mail.state === 'FAILED' && (
                  <Button
                    variant="default"
                    size="xs"
                    onClick={() => onRetry(mail)}
                    aria-label={`Send again the mail to ${mail.address}`}
                  >
                    Send again
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

const ownLink = /^https?:\/\/\S+$/

/** Lines that are a link to this console can be followed; everything else stays text. */
function MailText({ text }: { text: string }) {
  return text
    .trim()
    .split('\n\n')
    .map((line) => (
      <Text key={line} size="sm" style={{ overflowWrap: 'anywhere' }}>
        {ownLink.test(line) && URL.parse(line)?.origin === location.origin ? (
          <a href={line}>{line}</a>
        ) : (
          line
        )}
      </Text>
    ))
}
