import { Button, Group, Text } from '@mantine/core'
import { IconUserShield } from '@tabler/icons-react'
import { useEffect, useState } from 'react'

import { EndImpersonationDocument } from '../gql/graphql.ts'
import { useAction } from '../ui/use-action.ts'
import { currentImpersonation, leaveImpersonation } from './impersonation.ts'

const minuteMs = 60_000

/** Stands above every page while staff acts as a customer: as whom, for how long, and the way out. */
export function ImpersonationBanner() {
  const [impersonation] = useState(currentImpersonation)
  const end = useAction(EndImpersonationDocument)
  const minutesLeft = useMinutesLeft(impersonation?.expiresAt ?? null)

  useEffect(() => {
    if (!impersonation) return undefined
    document.body.dataset['impersonating'] = 'yes'
    return () => {
      delete document.body.dataset['impersonating']
    }
  }, [impersonation])

  if (!impersonation) return null
  const { id, name, email, mayChange } = impersonation
  const leave = async () => {
    // Also when it has ended already: what is left is to be oneself again.
    await end.run({ id })
    leaveImpersonation(impersonation)
  }
  return (
    <div className="impersonation" role="region" aria-label="Impersonation">
      <Group gap="sm" justify="space-between">
        <Group gap="xs">
          <IconUserShield size={18} aria-hidden />
          <Text size="sm" fw={600} component="span">
            You act as {name} ({email})
          </Text>
          <Text size="sm" component="span">
            {mayChange ? 'Tunnels and domains can be changed.' : 'To look only.'} {minutesLeft} min
            left.
          </Text>
        </Group>
        <Button size="xs" color="dark" loading={end.isBusy} onClick={() => void leave()}>
          End
        </Button>
      </Group>
    </div>
  )
}

function useMinutesLeft(expiresAt: string | null): number {
  const left = () => {
    const leftMs = expiresAt === null ? 0 : Date.parse(expiresAt) - Date.now()
    return Math.max(0, Math.floor(leftMs / minuteMs))
  }
  const [minutes, setMinutes] = useState(left)
  useEffect(() => {
    const timer = setInterval(() => setMinutes(left()), minuteMs / 4)
    return () => clearInterval(timer)
  }, [expiresAt])
  return minutes
}
