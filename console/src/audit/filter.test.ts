import { expect, test } from 'vitest'

import { auditSearchOf, isFiltered, variablesOf } from './filter.ts'

test('an address says only what can be asked for', () => {
  const search = { text: 'app', action: '', actor: 7, from: '2026-11-21', to: 'soon', view: 'all' }
  expect(auditSearchOf(search)).toEqual({ text: 'app', from: '2026-11-21' })
  expect(auditSearchOf({ view: 'proof' })).toEqual({ view: 'proof' })
})

test('the last day of a search belongs to it', () => {
  expect(variablesOf({ from: '2026-11-20', to: '2026-11-21' })).toMatchObject({
    from: '2026-11-20T00:00:00.000Z',
    to: '2026-11-22T00:00:00.000Z',
    text: null,
  })
})

test('a page without a filter is not filtered', () => {
  expect([isFiltered({}), isFiltered({ actor: 'Ada' })]).toEqual([false, true])
})
