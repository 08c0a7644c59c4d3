import { Group, Skeleton, Stack, Title } from '@mantine/core'
import type { ReactNode } from 'react'

import type { Loaded } from '../graph/loaded.ts'
import { ProblemNote } from './problem-note.tsx'

interface Props<T> {
  readonly title?: ReactNode
  readonly actions?: ReactNode
  readonly of: Loaded<T>
  /** What an empty panel says: why it is empty, and the command or button that fills it. */
  readonly empty?: ReactNode
  readonly onRetry?: () => void
  /** Lists touch the panel's edges; anything else is padded. */
  readonly isFlush?: boolean
  readonly skeletonRows?: number
  readonly children: (value: T) => ReactNode
}

/** One thing that can fail on its own: failed, loading, empty or full, in this order. */
export function Panel<T>({
  title,
  actions,
  of,
  empty,
  onRetry,
  isFlush = false,
  skeletonRows = 4,
  children,
}: Props<T>) {
  return (
    <section
      className="panel"
      data-failed={of.kind === 'failed' || undefined}
      aria-busy={of.kind === 'loading'}
    >
      {(title || actions) && (
        <div className="panel-head">
          {title && <Title order={2}>{title}</Title>}
          {actions && <Group gap="xs">{actions}</Group>}
        </div>
      )}
      {of.kind === 'failed' && (
        <div className="panel-body">
          <ProblemNote problem={of.problem} {...(onRetry && { onRetry })} />
        </div>
      )}
      {of.kind === 'loading' && (
        <Stack className="panel-body" gap="sm" role="status" aria-label="Loading">
          {Array.from({ length: skeletonRows }, (_, row) => (
            <Skeleton key={row} height={16} width={`${92 - ((row * 17) % 40)}%`} radius="sm" />
          ))}
        </Stack>
      )}
      {of.kind === 'empty' && <div className="panel-body">{empty}</div>}
      {of.kind === 'full' &&
        (isFlush ? children(of.value) : <div className="panel-body">{children(of.value)}</div>)}
    </section>
  )
}
