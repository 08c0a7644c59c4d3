import { Group, Text } from '@mantine/core'
import type { Permission } from '@sluice/schema/permissions'
import {
  IconActivity,
  IconAlertTriangle,
  IconApi,
  IconChartBar,
  IconCode,
  IconHistory,
  IconId,
  IconKey,
  IconPlayerPlay,
  IconRobot,
  IconRoute,
  IconSettings,
  IconShieldCheck,
  IconUsers,
  IconUsersGroup,
  IconWebhook,
  IconWorld,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'

import { Mark } from '../ui/mark.tsx'
import { AccountMenu } from './account-menu.tsx'
import { ConnectionWord } from './connection-word.tsx'
import { OrganizationSwitcher } from './organization-switcher.tsx'
import { usePlace } from './organization.ts'

const groups = [
  {
    title: 'Traffic',
    links: [
      { to: '/o/$slug/start', label: 'Get started', icon: IconPlayerPlay },
      { to: '/o/$slug/tunnels', label: 'Tunnels', icon: IconRoute },
      { to: '/o/$slug/requests', label: 'Requests', icon: IconActivity },
      { to: '/o/$slug/domains', label: 'Domains', icon: IconWorld },
    ],
  },
  {
    title: 'Programs',
    links: [
      { to: '/o/$slug/authtokens', label: 'Authtokens', icon: IconKey },
      { to: '/o/$slug/api-keys', label: 'API keys', icon: IconApi },
      { to: '/o/$slug/service-accounts', label: 'Service accounts', icon: IconRobot },
      { to: '/o/$slug/webhooks', label: 'Webhooks', icon: IconWebhook },
      { to: '/o/$slug/partner-api', label: 'Partner API', icon: IconCode },
    ],
  },
  {
    title: 'People',
    links: [
      { to: '/o/$slug/members', label: 'Members', icon: IconUsers },
      { to: '/o/$slug/roles', label: 'Roles', icon: IconShieldCheck },
      { to: '/o/$slug/sso', label: 'Single sign-on', icon: IconId },
      { to: '/o/$slug/scim', label: 'SCIM', icon: IconUsersGroup },
    ],
  },
  {
    title: 'Organization',
    links: [
      { to: '/o/$slug/usage', label: 'Plan and usage', icon: IconChartBar },
      { to: '/o/$slug/audit', label: 'Audit log', icon: IconHistory },
      { to: '/o/$slug/anomalies', label: 'Anomalies', icon: IconAlertTriangle },
      { to: '/o/$slug/settings', label: 'Settings', icon: IconSettings },
    ],
  },
] as const

/** What one must be allowed to do for a page to be of any use. */
const needs: Readonly<Record<string, Permission>> = {
  '/o/$slug/start': 'tunnels.read',
  '/o/$slug/tunnels': 'tunnels.read',
  '/o/$slug/requests': 'requests.read',
  '/o/$slug/domains': 'domains.read',
  '/o/$slug/authtokens': 'authtokens.read',
  '/o/$slug/sso': 'sso.manage',
  '/o/$slug/scim': 'sso.manage',
  '/o/$slug/webhooks': 'webhooks.read',
  '/o/$slug/audit': 'audit.read',
  '/o/$slug/anomalies': 'security.read',
  '/o/$slug/members': 'members.read',
  '/o/$slug/roles': 'members.read',
  '/o/$slug/usage': 'billing.read',
  '/o/$slug/api-keys': 'api-keys.read',
}

function isShown(to: string, permissions: readonly string[]): boolean {
  const needed = needs[to]
  return needed === undefined || permissions.includes(needed)
}

/** The side of every page: organization, pages, connection, account. */
export function Side({ onHelp }: { onHelp: () => void }) {
  const { organization } = usePlace()
  const { slug, viewerPermissions } = organization
  const shown = groups
    .map(({ title, links }) => ({
      title,
      links: links.filter(({ to }) => isShown(to, viewerPermissions)),
    }))
    .filter(({ links }) => links.length > 0)
  return (
    <>
      <Group gap={10} px={10} pb={8} visibleFrom="sm">
        <Mark size={26} />
        <Text fw={700} size="lg" component="span">
          Sluice
        </Text>
      </Group>
      <OrganizationSwitcher />
      <nav aria-label="Pages">
        {shown.map(({ title, links }) => (
          <div key={title}>
            <div className="side-group">{title}</div>
            {links.map(({ to, label, icon: Icon }) => (
              <Link
                key={to}
                to={to}
                params={{ slug }}
                className="side-link"
                activeOptions={{ includeSearch: false }}
              >
                <Icon size={18} stroke={1.7} aria-hidden />
                {label}
              </Link>
            ))}
          </div>
        ))}
      </nav>
      <ConnectionWord />
      <AccountMenu onHelp={onHelp} />
    </>
  )
}
