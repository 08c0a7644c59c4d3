import { Group, Text, Title } from '@mantine/core'
import { useEffect, useRef } from 'react'
import type { ReactNode } from 'react'

interface Props {
  readonly title: string
  /** One sentence on what the page is for. */
  readonly about?: ReactNode
  readonly actions?: ReactNode
  readonly isWide?: boolean
  readonly children: ReactNode
}

/** The frame of one page. It names the tab, and takes the focus after a navigation so that a screen reader says where one is. */
export function Page({ title, about, actions, isWide = false, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null)

  useEffect(() => {
    document.title = `${title} · Sluice`
  }, [title])

  useEffect(() => {
    // On the first load the browser's own start of the document is right.
    if (document.body.dataset['navigated']) heading.current?.focus({ preventScroll: true })
  }, [])

  return (
    <div className="page" data-wide={isWide || undefined}>
      <Group justify="space-between" align="flex-start" mb="lg" gap="sm">
        <div>
          <Title order={1} ref={heading} tabIndex={-1}>
            {title}
          </Title>
          {about && (
            <Text c="dimmed" size="sm" mt={2} maw={720}>
              {about}
            </Text>
          )}
        </div>
        {actions && <Group gap="sm">{actions}</Group>}
      </Group>
      {children}
    </div>
  )
}
