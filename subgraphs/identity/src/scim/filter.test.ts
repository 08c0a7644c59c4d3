import { expect, test } from 'vitest'

import { filterCharactersMax, parseFilter, parsePath } from './filter.ts'

const compare = (name: string, value: unknown, operator = 'eq') => ({
  kind: 'compare',
  path: { name, where: null, sub: null },
  operator,
  value,
})

test('and binds more than or, and brackets more than both', () => {
  const [a, b, c] = [compare('a', 1), compare('b', true), compare('c', 'x')]

  expect(parseFilter('a eq 1 or b eq true and c eq "x"')).toEqual({
    kind: 'or',
    filters: [a, { kind: 'and', filters: [b, c] }],
  })
  expect(parseFilter('(a EQ 1 OR b eq TRUE) AND not (c eq "x")')).toEqual({
    kind: 'and',
    filters: [
      { kind: 'or', filters: [a, b] },
      { kind: 'not', filter: c },
    ],
  })
})

test('names may carry their schema, and brackets choose among values', () => {
  expect(parseFilter('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "a"')).toEqual(
    compare('urn:ietf:params:scim:schemas:core:2.0:User:userName', 'a', 'sw'),
  )
  expect(parseFilter('emails[type eq "work" and value pr].value co "@x"')).toEqual({
    kind: 'compare',
    path: {
      name: 'emails',
      where: {
        kind: 'and',
        filters: [
          compare('type', 'work'),
          { kind: 'present', path: { name: 'value', where: null, sub: null } },
        ],
      },
      sub: 'value',
    },
    operator: 'co',
    value: '@x',
  })
  expect(parsePath('members[value eq "2819"]')).toMatchObject({ name: 'members', sub: null })
})

test('a text may hold brackets, quotes and whatever looks like a filter', () => {
  expect(parseFilter(String.raw`userName eq "a\" or (b[c]) eq \u00e9"`)).toEqual(
    compare('userName', 'a" or (b[c]) eq é'),
  )
})

test.for([
  '',
  '   ',
  'userName',
  'userName eq',
  'userName eq ada',
  "userName eq 'ada'",
  'userName eq "ada',
  'userName is "ada"',
  '(userName eq "ada"',
  'userName eq "ada")',
  'userName eq "ada" and',
  'not userName eq "ada"',
  'emails[type eq "work"',
  'emails[] pr',
  'user;Name eq "ada"',
  'a.b.c eq 1',
  'userName eq "a" "b"',
  String.raw`userName eq "\u0000"`,
  String.raw`userName eq "\x"`,
  '1 eq 1',
  'userName eq 1 -- comment',
])('%j is refused as a filter', (text) => {
  expect(() => parseFilter(text)).toThrow(
    expect.objectContaining({ status: 400, scimType: 'invalidFilter' }),
  )
})

test('depth, conditions and length are bounded', () => {
  const deep = (brackets: number) => `${'('.repeat(brackets)}a pr${')'.repeat(brackets)}`
  const wide = (terms: number) => Array.from({ length: terms }, () => 'a pr').join(' or ')

  expect(() => [parseFilter(deep(20)), parseFilter(wide(100))]).not.toThrow()
  for (const text of [
    deep(21),
    deep(1_000),
    wide(101),
    `a eq "${'x'.repeat(filterCharactersMax)}"`,
  ]) {
    expect(() => parseFilter(text)).toThrow(expect.objectContaining({ scimType: 'invalidFilter' }))
  }
})
