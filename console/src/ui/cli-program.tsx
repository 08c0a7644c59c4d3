import { Anchor, Code, Text } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'

import type { CliProgram } from './cli-line.ts'
import { cliLine, inClone, programAt } from './cli-line.ts'

const isLoopback = programAt(location.hostname) === inClone

/** How the CLI is run on this machine. The console cannot know: it guesses by its own address, and remembers a choice. */
function useCliProgram() {
  return useLocalStorage<CliProgram>({
    key: 'sluice-cli-program',
    defaultValue: programAt(location.hostname),
    getInitialValueInEffect: false,
    deserialize: (value) => (value === 'sluice' || value === inClone ? value : 'sluice'),
    serialize: (value) => value,
  })
}

/** A line that is written for an installed `sluice`, as it has to be typed here. */
export function useCliLine(line: string): string {
  const [program] = useCliProgram()
  return cliLine(line, program)
}

/** Says where the lines run, and offers the other way. Only where a clone may be at hand. */
export function CliNote() {
  const [program, choose] = useCliProgram()
  if (!isLoopback) return null
  return program === inClone ? (
    <Text size="xs" c="dimmed">
      The lines run in the folder where you typed <Code>npm start</Code>.{' '}
      <Anchor component="button" type="button" size="xs" onClick={() => choose('sluice')}>
        I have sluice installed
      </Anchor>
    </Text>
  ) : (
    <Text size="xs" c="dimmed">
      Is <Code>sluice</Code> not found?{' '}
      <Anchor component="button" type="button" size="xs" onClick={() => choose(inClone)}>
        Run it from the clone
      </Anchor>
    </Text>
  )
}
