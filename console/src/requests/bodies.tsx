import { Anchor, Code, Group, Text, Title } from '@mantine/core'
import { useEffect } from 'react'
import { useQuery } from 'urql'

import { RequestBodiesDocument } from '../gql/graphql.ts'
import type { RequestBodiesQuery } from '../gql/graphql.ts'
import { problemAt } from '../graph/problem.ts'
import { Copy } from '../ui/copy.tsx'
import { bytesText } from '../ui/figures.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import type { DetailedRequest } from './use-request-feed.ts'

/** A live request is shown before it is stored: its bodies are asked for again after this long. */
const askAgainMs = 1_500

type Body = NonNullable<NonNullable<RequestBodiesQuery['capturedRequest']>['requestBody']>

/** What was captured of the bodies; nothing at all where nothing was. */
export function Bodies({ request }: { request: DetailedRequest }) {
  const [{ data, error, fetching }, refetch] = useQuery({
    query: RequestBodiesDocument,
    variables: { id: request.id },
  })
  const isStored = data?.capturedRequest !== null
  useEffect(() => {
    if (isStored || fetching) return undefined
    const timer = setTimeout(() => refetch({ requestPolicy: 'network-only' }), askAgainMs)
    return () => clearTimeout(timer)
  }, [isStored, fetching, refetch])

  const problem = problemAt(error)
  if (problem) return <ProblemNote problem={problem} />
  const { requestBody, responseBody } = data?.capturedRequest ?? {}
  return (
    <>
      {requestBody && (
        <BodyView title="Request body" name={`${request.id}.request`} body={requestBody} />
      )}
      {responseBody && (
        <BodyView title="Response body" name={`${request.id}.response`} body={responseBody} />
      )}
    </>
  )
}

interface BodyProps {
  readonly title: string
  readonly name: string
  readonly body: Body
}

function BodyView({
  title,
  name,
  body: { contentType, bytes, truncated, text, base64 },
}: BodyProps) {
  const kind = contentType || 'of no named type'
  return (
    <section aria-label={title}>
      <Group justify="space-between" mb={4}>
        <Title order={3}>{title}</Title>
        <Group gap="xs">
          {text !== null && <Copy value={text} what={`the ${title.toLowerCase()}`} />}
          {base64 !== null && (
            // Never the body's own type: what a stranger sent must not run here.
            <Anchor
              size="sm"
              download={name}
              href={`data:application/octet-stream;base64,${base64}`}
            >
              Download
            </Anchor>
          )}
        </Group>
      </Group>
      <Text size="xs" c="dimmed" mb={4}>
        {truncated ? `The first ${bytesText(bytes)}, then cut` : bytesText(bytes)}, {kind}
      </Text>
      {text === null ? (
        <Text size="sm" c="dimmed">
          {base64 === null ? 'It is kept no more.' : 'It is binary.'}
        </Text>
      ) : (
        <Code block tabIndex={0} className="captured-body">
          {pretty(text, contentType, truncated)}
        </Code>
      )}
    </section>
  )
}

/** JSON with line breaks; anything else, and JSON that was cut, as it came. */
function pretty(text: string, contentType: string, truncated: boolean): string {
  if (truncated || !/\bjson\b/i.test(contentType)) return text
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
