import { describe, expect, test } from 'vitest'

import { createTestLog, namesIn } from './test-log.ts'

function logOf(text: string) {
  const log = createTestLog()
  for (const line of text.split('\n')) log.line(line)
  return log
}

const passed = ` NX   Running target test for 2 projects:

- @sluice/kit:test
- @sluice/relay:test

> nx run @sluice/kit:test

 RUN  v5.1.1 /repository/kit

 Test Files  20 passed (20)
`
const failed = `> nx run @sluice/relay:test

 RUN  v5.1.1 /repository/relay

 ❯ src/drain.test.ts (2 tests | 2 failed) 30ms

⎯⎯⎯⎯⎯⎯⎯ Failed Suites 1 ⎯⎯⎯⎯⎯⎯⎯

 FAIL  src/world.test.ts [ src/world.test.ts ]
Error: no world

⎯⎯⎯⎯⎯⎯⎯ Failed Tests 2 ⎯⎯⎯⎯⎯⎯⎯

 FAIL  src/drain.test.ts > a drain > ends
AssertionError: expected 1 to be 2
 FAIL  src/drain.test.ts > a drain > waits
AssertionError: expected 1 to be 2

 Test Files  2 failed | 59 passed (61)
`
const end = (...tasks: string[]) =>
  [` NX   Running target test for 2 projects failed`, '', 'Failed tasks:', '', ...tasks].join('\n')

test('the files that failed are told with their tests, and with those of which nothing could run', () => {
  const files = logOf(`${passed}${failed}${end('- @sluice/relay:test')}`).failedFiles()

  expect(files).toEqual([
    {
      root: '/repository/relay',
      files: ['src/world.test.ts', 'src/drain.test.ts'],
      tests: [
        'src/world.test.ts',
        'src/drain.test.ts > a drain > ends',
        'src/drain.test.ts > a drain > waits',
      ],
    },
  ])
  expect(files?.flatMap((one) => namesIn('/repository', one))[1]).toBe(
    'relay/src/drain.test.ts > a drain > ends',
  )
})

test('an error outside of the tests is told with the file in whose run it was thrown', () => {
  const thrown = `> nx run @sluice/relay:test

 RUN  v5.1.1 /repository/relay

⎯⎯⎯⎯⎯⎯ Unhandled Errors ⎯⎯⎯⎯⎯⎯

Error: nobody's rejection
This error originated in "src/drain.test.ts" test file. It doesn't mean the error was thrown inside the file itself.

 Test Files  61 passed (61)
     Errors  1 error
`
  const log = logOf(`${passed}${thrown}${end('- @sluice/relay:test')}`)

  expect(log.failedFiles()).toEqual([
    {
      root: '/repository/relay',
      files: ['src/drain.test.ts'],
      tests: ['src/drain.test.ts > an error outside of its tests'],
    },
  ])
  expect(log.failures()[0]?.text).toMatch(/^⎯+ Unhandled Errors/)
})

test('what failed is said from its first failure on', () => {
  const [failure, ...others] = logOf(passed + failed).failures()

  expect(others).toEqual([])
  expect(failure?.title).toBe('> nx run @sluice/relay:test')
  expect(failure?.text).toMatch(/^⎯+ Failed Suites 1/)
})

describe('nothing is asked again', () => {
  test('where a package failed without a failed test', () => {
    const both = end('- @sluice/relay:test', '- @sluice/kit:test')
    expect(logOf(`${passed}${failed}${both}`).failedFiles()).toBeNull()
  })

  test('where something was thrown that belongs to no file', () => {
    const thrown = failed.replace(/( Test Files .*\n)/, '$1     Errors  1 error\n')
    expect(logOf(`${thrown}${end('- @sluice/relay:test')}`).failedFiles()).toBeNull()
  })

  test('where Nx itself failed', () => {
    expect(logOf(' NX   Cannot read the project graph').failedFiles()).toBeNull()
  })
})
