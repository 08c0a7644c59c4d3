import { expect, test } from 'vitest'

import { cliLine, inClone, programAt } from './cli-line.ts'

test('on one’s own machine the lines run the CLI of the clone', () => {
  expect(programAt('localhost')).toBe(inClone)
  expect(programAt('console.example.com')).toBe('sluice')
})

test('only the command word changes, at the start or behind a pipe', () => {
  expect(cliLine('sluice http 3000 --name sluice', inClone)).toBe(
    'node agent/dist/sluice.js http 3000 --name sluice',
  )
  expect(cliLine('echo slt_x | sluice login --server http://localhost:4000', inClone)).toBe(
    'echo slt_x | node agent/dist/sluice.js login --server http://localhost:4000',
  )
  expect(cliLine('curl http://sluice.example.com/', inClone)).toBe(
    'curl http://sluice.example.com/',
  )
})
