import { Group, Stack, Text, Title } from '@mantine/core'
import { useEffect } from 'react'
import type { ReactNode } from 'react'

import { Mark } from '../ui/mark.tsx'

const example = `$ sluice http 3000

Forwarding   https://calm-otter.tunnel.example.com
        to   http://localhost:3000

GET    /api/orders       200   12 ms
POST   /hooks/payments   204    8 ms`

interface Props {
  readonly title: string
  readonly about: ReactNode
  readonly children: ReactNode
}

/** The frame of the pages before sign-in. */
export function Door({ title, about, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Sluice`
  }, [title])

  return (
    <div className="door">
      <main className="door-form" id="main">
        <Stack w="100%" maw={360} gap="lg">
          <Group gap="sm">
            <Mark size={30} />
            <Text fw={700} size="lg">
              Sluice
            </Text>
          </Group>
          <div>
            <Title order={1}>{title}</Title>
            <Text c="dimmed" size="sm" mt={2}>
              {about}
            </Text>
          </div>
          {children}
        </Stack>
      </main>
      <aside className="door-picture" aria-label="What Sluice does">
        <h2>Put a local service on a public address.</h2>
        <pre>{example}</pre>
      </aside>
    </div>
  )
}
