import { Button, Group, Text } from '@mantine/core'
import type { CombinedError } from 'urql'

import { problemAt } from '../graph/problem.ts'
import { ProblemNote } from './problem-note.tsx'

interface Props {
  readonly hasMore: boolean
  readonly loadingMore: boolean
  readonly moreError: CombinedError | undefined
  readonly loadMore: () => void
  readonly count: number
  /** What is counted, one and many: `['tunnel', 'tunnels']`. */
  readonly what: readonly [string, string]
  /** How many the plan allows, when that is known. */
  readonly max?: number | null | undefined
}

/** The foot of a list that is read page by page. */
export function LoadMore({ hasMore, loadingMore, moreError, loadMore, count, what, max }: Props) {
  const problem = problemAt(moreError)
  const counted = `${count} ${what[count === 1 ? 0 : 1]}`
  return (
    <div className="panel-foot">
      {problem && <ProblemNote problem={problem} onRetry={loadMore} />}
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          {hasMore ? `The first ${counted}.` : `${counted}.`}
          {max !== null && max !== undefined && ` Your plan allows ${max}.`}
        </Text>
        {hasMore && !problem && (
          <Button variant="default" size="xs" loading={loadingMore} onClick={loadMore}>
            Load more
          </Button>
        )}
      </Group>
    </div>
  )
}
