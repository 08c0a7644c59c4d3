import { Modal, Table } from '@mantine/core'

import { goTo } from './chords.ts'

interface Props {
  readonly isOpen: boolean
  readonly onClose: () => void
}

const others = [
  { keys: ['?'], what: 'This list' },
  { keys: ['/'], what: 'Filter the list on the page' },
  { keys: ['j', 'k'], what: 'Next or previous request' },
  { keys: ['p'], what: 'Pause or resume live requests' },
  { keys: ['Esc'], what: 'Close what is open' },
] as const

/** All keys of the console in one place. */
export function ShortcutsHelp({ isOpen, onClose }: Props) {
  const pages = Object.entries(goTo).map(([key, { label }]) => ({ keys: ['g', key], what: label }))
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title="Keyboard shortcuts"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Table verticalSpacing={6}>
        <Table.Tbody>
          {[...others, ...pages].map(({ keys, what }) => (
            <Table.Tr key={what}>
              <Table.Td w={120}>
                {keys.map((key) => (
                  <span key={key}>
                    <kbd className="key">{key}</kbd>{' '}
                  </span>
                ))}
              </Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  )
}
