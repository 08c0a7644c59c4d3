import { Menu, Modal, Text, TextInput, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconCheck, IconLock, IconPlus, IconSelector } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { useClosedOrganizations } from '../sso/closed-organizations.ts'
import { CreateOrganization } from './create-organization.tsx'
import { useMe } from './me.ts'
import { usePlace } from './organization.ts'

/** Pixels above which the list scrolls. */
const listHeight = 320
/** With more than so many, one looks for a name. */
const unsearchedMax = 8

export function OrganizationSwitcher() {
  const { memberships } = useMe()
  const { closed, isSsoSignIn } = useClosedOrganizations()
  const { organization, roleLabel } = usePlace()
  const [isCreating, creating] = useDisclosure(false)
  const navigate = useNavigate()
  const [wanted, setWanted] = useState('')
  const isSearched = memberships.length > unsearchedMax
  const found = memberships.filter(({ organization: { name, slug } }) =>
    `${name} ${slug}`.toLowerCase().includes(wanted.trim().toLowerCase()),
  )

  return (
    <>
      <Menu width={212} position="bottom-start" shadow="md" onClose={() => setWanted('')}>
        <Menu.Target>
          <UnstyledButton className="side-button">
            <span className="visually-hidden">Organization</span>
            <div style={{ flex: 1, minWidth: 0 }}>
              <Text size="sm" fw={600} truncate>
                {organization.name}
              </Text>
              <Text size="xs" c="dimmed">
                {roleLabel}
              </Text>
            </div>
            <IconSelector size={16} aria-hidden />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown mah={listHeight} style={{ overflowY: 'auto' }}>
          <Menu.Label>Your organizations</Menu.Label>
          {isSearched && (
            <TextInput
              aria-label="Find an organization"
              placeholder="Find"
              size="xs"
              m="xs"
              value={wanted}
              onChange={(event) => setWanted(event.currentTarget.value)}
            />
          )}
          {found.length === 0 && (
            <Text size="xs" c="dimmed" px="sm" pb="xs">
              None is called so.
            </Text>
          )}
          {found.map(({ organization: each }) => (
            <Menu.Item
              key={each.id}
              rightSection={each.id === organization.id ? <IconCheck size={14} /> : null}
              onClick={() => void navigate({ to: '/o/$slug/tunnels', params: { slug: each.slug } })}
            >
              {each.name}
            </Menu.Item>
          ))}
          {closed.map((each) => (
            <Menu.Item
              key={each.id}
              rightSection={<IconLock size={14} aria-label="asks for single sign-on" />}
              onClick={() => void navigate({ to: '/o/$slug/tunnels', params: { slug: each.slug } })}
            >
              {each.name}
            </Menu.Item>
          ))}
          {!isSsoSignIn && (
            <>
              <Menu.Divider />
              <Menu.Item leftSection={<IconPlus size={14} />} onClick={creating.open}>
                New organization
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={isCreating}
        onClose={creating.close}
        title="New organization"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <CreateOrganization onDone={creating.close} />
      </Modal>
    </>
  )
}
