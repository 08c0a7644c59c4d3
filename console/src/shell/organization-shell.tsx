import { AppShell, Burger, Group, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Outlet, useNavigate, useParams, useRouterState } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'

import { SuspendedNote } from '../admin/suspend.tsx'
import { TunnelStatusChangesDocument } from '../gql/graphql.ts'
import { useStream } from '../live/use-stream.ts'
import { ClosedOrganization } from '../sso/closed-organization.tsx'
import { useClosedOrganizations } from '../sso/closed-organizations.ts'
import { TunnelStatusesContext } from '../tunnels/tunnel-statuses-context.ts'
import { createTunnelStatuses } from '../tunnels/tunnel-statuses.ts'
import { Mark } from '../ui/mark.tsx'
import { useMe } from './me.ts'
import { WholeNotFoundPage } from './not-found-page.tsx'
import type { Place } from './organization.ts'
import { PlaceContext, rememberOrganization, roles } from './organization.ts'
import { ShortcutsHelp } from './shortcuts-help.tsx'
import { Side } from './side.tsx'
import { focusFilter, useShortcuts } from './use-shortcuts.ts'

/** The frame around the pages of one organization. */
export function OrganizationShell() {
  const me = useMe()
  const { slug } = useParams({ from: '/in/o/$slug' })
  const membership = me.memberships.find(({ organization }) => organization.slug === slug)
  const place = useMemo<Place | null>(
    () =>
      membership
        ? {
            organization: membership.organization,
            role: membership.role,
            roleLabel: membership.customRole?.name ?? roles[membership.role].label,
          }
        : null,
    [membership],
  )
  if (!place) return <NotHere slug={slug} />
  return (
    <PlaceContext value={place} key={place.organization.id}>
      <Frame place={place} />
    </PlaceContext>
  )
}

/** No organization of this sign-in. It may be one that asks for its single sign-on first. */
function NotHere({ slug }: { slug: string }) {
  const { closed, isLoading } = useClosedOrganizations()
  const organization = closed.find((one) => one.slug === slug)
  if (isLoading) return null
  if (!organization) return <WholeNotFoundPage />
  return <ClosedOrganization organization={organization} returnTo={`/o/${slug}/tunnels`} />
}

function Frame({ place }: { place: Place }) {
  const { organization } = place
  const [isSideOpen, side] = useDisclosure(false)
  const [isHelpOpen, help] = useDisclosure(false)
  const navigate = useNavigate()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const [statuses] = useState(createTunnelStatuses)

  useEffect(() => rememberOrganization(organization), [organization])
  useEffect(() => side.close(), [path])

  useStream({
    document: TunnelStatusChangesDocument,
    key: organization.id,
    variables: () => ({ organizationId: organization.id }),
    onEvent: ({ tunnelStatus }) => statuses.record(tunnelStatus, Date.now()),
    onRestart: () => statuses.restart(),
  })

  useShortcuts((shortcut) => {
    if (shortcut.kind === 'help') help.open()
    if (shortcut.kind === 'filter') focusFilter()
    if (shortcut.kind === 'go')
      void navigate({ to: `/o/${organization.slug}/${shortcut.path}` as '/' })
  })

  return (
    <TunnelStatusesContext value={statuses}>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <AppShell
        header={{ height: { base: 52, sm: 0 } }}
        navbar={{ width: 236, breakpoint: 'sm', collapsed: { mobile: !isSideOpen } }}
      >
        <AppShell.Header hiddenFrom="sm" px="md">
          <Group h="100%" gap="sm">
            <Burger
              opened={isSideOpen}
              onClick={side.toggle}
              size="sm"
              aria-label={isSideOpen ? 'Close the menu' : 'Open the menu'}
            />
            <Mark size={22} />
            <Text fw={700}>Sluice</Text>
          </Group>
        </AppShell.Header>
        <AppShell.Navbar className="side" withBorder={false}>
          <Side onHelp={help.open} />
        </AppShell.Navbar>
        <AppShell.Main id="main" tabIndex={-1}>
          {organization.suspension && (
            <SuspendedNote
              title="This organization is suspended"
              suspension={organization.suspension}
            />
          )}
          <Outlet />
        </AppShell.Main>
      </AppShell>
      <ShortcutsHelp isOpen={isHelpOpen} onClose={help.close} />
    </TunnelStatusesContext>
  )
}
