import { expect, test } from 'vitest'

import { decodeCursor, encodeCursor, pageOf, type Keyset } from './keyset.ts'

const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`

test('a cursor leads back to the row it was made of', () => {
  const row = { at: new Date('2026-11-21T23:59:59.999Z'), id: id(1) }

  expect(decodeCursor(encodeCursor(row))).toEqual(row)
})

test.for([
  '',
  'x',
  '2026-11-21T00:00:00.000Z',
  `2026-99-99T00:00:00.000Z ${id(1)}`,
  `2026-11-21T00:00:00.000Z ${'-'.repeat(36)}`,
  `2026-11-21T00:00:00.000Z ${id(1)} or true`,
])('a cursor that was made up is refused with its code: %s', (text) => {
  const cursor = Buffer.from(text).toString('base64url')

  expect(() => decodeCursor(cursor)).toThrow(
    expect.objectContaining({ code: 'SLUICE_CURSOR_INVALID' }),
  )
})

test('rows of one instant are each on one page, and a page is never longer than the limit', async () => {
  const at = new Date()
  const rows = [5, 4, 3, 2, 1].map((n) => ({ at, id: id(n) }))
  const read = (first: number, after?: string) =>
    pageOf<Keyset>(
      { first, after },
      (row) => row,
      async (count, behind) => rows.filter((row) => !behind || row.id < behind.id).slice(0, count),
    )

  const one = await read(2)
  const two = await read(2, one.pageInfo.endCursor ?? '')
  const three = await read(2, two.pageInfo.endCursor ?? '')

  expect([one, two, three].flatMap(({ nodes }) => nodes)).toEqual(rows)
  expect([one, two, three].map(({ pageInfo }) => pageInfo.hasNextPage)).toEqual([true, true, false])
  expect((await read(-1)).nodes).toEqual([])
})
