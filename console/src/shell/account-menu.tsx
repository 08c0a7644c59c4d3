import { Avatar, Menu, Text, UnstyledButton, useMantineColorScheme } from '@mantine/core'
import type { MantineColorScheme } from '@mantine/core'
import {
  IconApi,
  IconCheck,
  IconDeviceDesktop,
  IconKeyboard,
  IconLogout,
  IconMail,
  IconMoon,
  IconShieldLock,
  IconSun,
  IconUserShield,
} from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'

import { useDoor } from '../sign-in/sign-in-context.ts'
import { useMe } from './me.ts'
import { usePlace } from './organization.ts'

const schemes: readonly { value: MantineColorScheme; label: string; icon: typeof IconSun }[] = [
  { value: 'light', label: 'Light', icon: IconSun },
  { value: 'dark', label: 'Dark', icon: IconMoon },
  { value: 'auto', label: 'As the system', icon: IconDeviceDesktop },
]

export function AccountMenu({ onHelp }: { onHelp: () => void }) {
  const me = useMe()
  const { signIn } = useDoor()
  const { slug } = usePlace().organization
  const navigate = useNavigate()
  const { colorScheme, setColorScheme } = useMantineColorScheme()

  return (
    <Menu width={212} position="top-start" shadow="md">
      <Menu.Target>
        <UnstyledButton className="side-button">
          <span className="visually-hidden">Account</span>
          <Avatar size={28} name={me.name} color="lagoon" variant="filled" aria-hidden />
          <div style={{ flex: 1, minWidth: 0 }}>
            <Text size="sm" fw={600} truncate>
              {me.name}
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {me.email}
            </Text>
          </div>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconShieldLock size={14} />}
          onClick={() => void navigate({ to: '/o/$slug/security', params: { slug } })}
        >
          Security
        </Menu.Item>
        {me.isAdmin && (
          <Menu.Item
            leftSection={<IconUserShield size={14} />}
            onClick={() => void navigate({ to: '/admin/users' })}
          >
            Staff
          </Menu.Item>
        )}
        {me.isAdmin && (
          <Menu.Item
            leftSection={<IconMail size={14} />}
            onClick={() => void navigate({ to: '/o/$slug/mail', params: { slug } })}
          >
            Mail of this server
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Label>Appearance</Menu.Label>
        {schemes.map(({ value, label, icon: Icon }) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={14} />}
            rightSection={
              value === colorScheme ? <IconCheck size={14} aria-label="chosen" /> : null
            }
            onClick={() => setColorScheme(value)}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        {me.isAdmin && (
          <Menu.Item
            component="a"
            href="/graphiql"
            target="_blank"
            rel="noreferrer"
            leftSection={<IconApi size={14} />}
          >
            GraphiQL
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconKeyboard size={14} />} onClick={onHelp}>
          Keyboard shortcuts
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={14} />} onClick={() => void signIn.signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
