import { expect, test } from 'vitest'

import { exportRowsPerPage, personExportText, rowsByPage } from './person-export.ts'

async function textOf(parts: Record<string, unknown>, rowsMax?: number): Promise<string> {
  return (await Array.fromAsync(personExportText(parts, rowsMax))).join('')
}

const rows = (count: number) =>
  rowsByPage<number>(async (after) => {
    const from = after === null ? 0 : after + 1
    const length = Math.min(exportRowsPerPage, Math.max(0, count - from))
    return Array.from({ length }, (_, at) => from + at)
  })

test('values and lists become one JSON object, whatever the length of a list', async () => {
  for (const count of [0, 1, exportRowsPerPage, exportRowsPerPage + 1]) {
    const text = await textOf({ name: 'a "quoted"\n name', missing: undefined, list: rows(count) })
    expect(JSON.parse(text)).toEqual({
      name: 'a "quoted"\n name',
      missing: null,
      list: Array.from({ length: count }, (_, at) => at),
      truncated: [],
    })
  }
})

test('a list that is longer than an export may be says so, and is read no further', async () => {
  let read = 0
  async function* endless() {
    for (;;) yield (read += 1)
  }

  const text = await textOf({ endless: endless(), short: rows(1) }, 3)

  expect(JSON.parse(text)).toEqual({ endless: [1, 2, 3], short: [0], truncated: ['endless'] })
  expect(read).toBe(4)
})
