import { isEdgeHeader } from '@sluice/schema/edge-policy'
import { expect, test } from 'vitest'

import { addedBytesMax, compileHeaderChanges } from './header-changes.ts'

test.for([
  'Host',
  'Connection',
  'Content-Length',
  'Transfer-Encoding',
  'transfer_encoding',
  'Expect',
  'Upgrade',
  'Keep-Alive',
  'TE',
  'Trailer',
  'X-Forwarded-For',
  'x_forwarded_for',
  'Forwarded',
  'X-Real-IP',
  'sluice-error',
  'Proxy-Authorization',
])('%s belongs to the hop or the relay: it is neither added nor removed', (name) => {
  expect(compileHeaderChanges({ add: [[name, 'x']], remove: [name] })).toBeUndefined()
  // The door says no to the same names, so that nobody saves what the edge would leave out.
  expect(isEdgeHeader(name)).toBe(true)
})

test.for(['a\r\nb: c', 'a\nb', 'a\0b', 'a\u007fb'])(
  'a value that would end its line is left out: %j',
  (value) => {
    expect(compileHeaderChanges({ add: [['x-a', value]] })).toBeUndefined()
  },
)

test('what may change is compiled to lines, in order, within a bound', () => {
  const changes = compileHeaderChanges({
    add: [
      ['X-One', '1'],
      ['Authorization', 'Bearer é'],
      ['X-One', '2'],
    ],
    remove: ['Cookie', 'X-Powered-By'],
  })
  const many = compileHeaderChanges({
    add: Array.from({ length: 50 }, (_, index): [string, string] => [
      `x-${index}`,
      'v'.repeat(4096),
    ]),
  })

  expect(changes?.added.toString()).toBe('X-One: 1\r\nAuthorization: Bearer é\r\nX-One: 2\r\n')
  expect([...(changes?.removed ?? [])]).toEqual(['cookie', 'x-powered-by'])
  expect(many?.added.length).toBeLessThanOrEqual(addedBytesMax)
})

test.for([
  'Authorization',
  'Cookie',
  'Set-Cookie',
  'X-Env',
  'Server',
  'Content-Type',
  'X-Real-Name',
])('%s may be changed, at the door and at the edge', (name) => {
  expect(isEdgeHeader(name)).toBe(false)
  expect(compileHeaderChanges({ remove: [name] })?.removed).toContain(name.toLowerCase())
})
