import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { z } from 'zod'

import { flag, list, port, portRange, readConfig } from './config.ts'

test('every problem is reported together and no value is shown', () => {
  const read = () =>
    readConfig({ PORT: 'hunter2', URL: '' }, { PORT: port, URL: z.url(), SECRET: z.string() })

  expect(read).toThrow(/PORT: [^]*URL is not set[^]*SECRET is not set/)
  expect(read).not.toThrow(/hunter2/)
})

test('a secret may come from a file', () => {
  const file = join(tmpdir(), `sluice-config-${process.pid}`)
  writeFileSync(file, 'from the file\n')

  expect(readConfig({ SECRET_FILE: file }, { SECRET: z.string() })).toEqual({
    SECRET: 'from the file',
  })
})

test('lists, switches and defaults are typed', () => {
  const values = readConfig(
    { HOSTS: 'a, b,,c', ON: 'true' },
    { HOSTS: list, ON: flag, PORT: port.default(4000) },
  )

  expect(values).toEqual({ HOSTS: ['a', 'b', 'c'], ON: true, PORT: 4000 })
})

test.for([
  ['20000-20999', { first: 20_000, last: 20_999 }],
  ['53', { first: 53, last: 53 }],
  ['53-', undefined],
  ['20-10', undefined],
  ['0-10', undefined],
  ['60000-70000', undefined],
] as const)('the port range %s is read as %j', ([text, range]) => {
  expect(portRange.safeParse(text).data).toEqual(range)
})
