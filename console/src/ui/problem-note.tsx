import { Anchor, Button, Group, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'

import type { Problem } from '../graph/problem.ts'
import { Words } from './words.tsx'

interface Props {
  readonly problem: Problem
  readonly onRetry?: () => void
}

/** A failure as the catalogue words it: title, cause, fix, code. */
export function ProblemNote({ problem, onRetry }: Props) {
  const { title, cause, fix, code, docsUrl } = problem
  return (
    <div role="alert">
      <Group wrap="nowrap" align="flex-start" gap="sm">
        <IconAlertTriangle
          size={20}
          className="tone-bad"
          aria-hidden
          style={{ flex: 'none', marginTop: 1 }}
        />
        <div style={{ minWidth: 0 }}>
          <Text fw={600} size="sm">
            {title}
          </Text>
          {cause && (
            <Text size="sm" c="dimmed">
              <Words>{cause}</Words>
            </Text>
          )}
          {fix && (
            <Text size="sm">
              <Words>{fix}</Words>
            </Text>
          )}
          <Group gap="md" mt={8}>
            {onRetry && (
              <Button variant="default" size="xs" onClick={onRetry}>
                Try again
              </Button>
            )}
            {docsUrl ? (
              <Anchor href={docsUrl} target="_blank" rel="noreferrer" className="mono" size="xs">
                {code}
              </Anchor>
            ) : (
              <Text className="mono" size="xs" c="dimmed">
                {code}
              </Text>
            )}
          </Group>
        </div>
      </Group>
    </div>
  )
}
