import { Group, Text } from '@mantine/core'
import { Link, Outlet } from '@tanstack/react-router'

import { useMe } from '../shell/me.ts'
import { WholeNotFoundPage } from '../shell/not-found-page.tsx'
import { Mark } from '../ui/mark.tsx'

const links = [
  { to: '/admin/users', label: 'Users' },
  { to: '/admin/organizations', label: 'Organizations' },
  { to: '/admin/hosts', label: 'Suspended addresses' },
  { to: '/admin/anomalies', label: 'Anomalies' },
  { to: '/admin/blocks', label: 'Blocked networks' },
  { to: '/admin/keys', label: 'Keys' },
  { to: '/admin/audit', label: 'Audit log' },
] as const

/** The frame around the pages of staff, outside all organizations. */
export function AdminShell() {
  const { isAdmin } = useMe()
  if (!isAdmin) return <WholeNotFoundPage />
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="admin-head">
        <Group gap="md">
          <Group gap={8}>
            <Mark size={22} />
            <Text fw={700} component="span">
              Sluice for staff
            </Text>
          </Group>
          <nav aria-label="Pages of staff" className="admin-links">
            {links.map(({ to, label }) => (
              <Link key={to} to={to} className="side-link">
                {label}
              </Link>
            ))}
            <Link to="/" className="side-link">
              Back to the console
            </Link>
          </nav>
        </Group>
      </header>
      <main id="main" className="admin" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  )
}
