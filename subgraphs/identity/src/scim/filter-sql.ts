import type { Attribute, ResourceType } from './attributes.ts'
import { findAttribute } from './attributes.ts'
import type { Filter, FilterPath, FilterValue, Operator } from './filter.ts'
import { ScimError } from './scim-error.ts'

/** A condition whose `?` are its values, in order. No text of a client is ever part of `text`. */
export interface Sql {
  readonly text: string
  readonly values: readonly FilterValue[]
}

/** Where a resource type keeps what is not in its `data`: by attribute, or by `attribute.sub`, in lower case. */
export interface Columns {
  readonly single: Readonly<Record<string, string>>
  /** Rows of `e` for a list that is a table of its own, with `e.<sub>` in JSON. */
  readonly lists: Readonly<Record<string, string>>
}

/** The filter as a condition on the rows of a resource. Throws 400 `invalidFilter` for attributes that there are not. */
export function filterSql(type: ResourceType, columns: Columns, filter: Filter): Sql {
  if ('filters' in filter) {
    const parts = filter.filters.map((one) => filterSql(type, columns, one))
    return joined(parts, filter.kind)
  }
  if (filter.kind !== 'not') return termSql(type, columns, filter)
  const { text, values } = filterSql(type, columns, filter.filter)
  return { text: `not (${text})`, values }
}

type Term = Extract<Filter, { kind: 'present' | 'compare' }>

function termSql(type: ResourceType, columns: Columns, term: Term): Sql {
  const { path } = term
  const found = findAttribute(type, path.name)
  if (!found) throw unknown(path.name)
  const { attribute, extension } = found
  if (!attribute.multiValued) {
    if (path.where) throw refused(`${path.name} has one value, so it takes no brackets`)
    const leaf = found.sub ?? attribute
    if (leaf.type === 'complex') {
      if (term.kind === 'present') return presentSql(jsonOf(extension, attribute.name))
      throw refused(`${path.name} has parts; name one of them`)
    }
    const key = [attribute.name, found.sub?.name].filter(Boolean).join('.').toLowerCase()
    const column = extension === null ? columns.single[key] : undefined
    const inData = found.sub
      ? `${jsonOf(extension, attribute.name)}->>'${found.sub.name}'`
      : textOf(extension, attribute.name)
    if (column === undefined && attribute.readOnly) throw unknown(path.name)
    return comparison(column ?? inData, leaf, term)
  }
  const rows =
    columns.lists[attribute.name.toLowerCase()] ??
    `jsonb_array_elements(coalesce(${jsonOf(extension, attribute.name)}, '[]'::jsonb)) e`
  const conditions = [
    ...(path.where ? [elementSql(attribute, path.where)] : []),
    ...elementTerm(attribute, found.sub?.name ?? path.sub, term),
  ]
  const { text, values } = joined(conditions, 'and')
  return { text: `exists (select 1 from ${rows} where ${text || 'true'})`, values }
}

/** What the values of a list must be; its `value` if no part is named (RFC 7643 §2.4). */
function elementTerm(attribute: Attribute, sub: string | null, term: Term): Sql[] {
  if (term.kind === 'present' && sub === null) return []
  return [
    elementSql(attribute, { ...term, path: { name: sub ?? 'value', where: null, sub: null } }),
  ]
}

function elementSql(attribute: Attribute, filter: Filter): Sql {
  if ('filters' in filter) {
    const parts = filter.filters.map((one) => elementSql(attribute, one))
    return joined(parts, filter.kind)
  }
  if (filter.kind === 'not') {
    const { text, values } = elementSql(attribute, filter.filter)
    return { text: `not (${text})`, values }
  }
  const sub = partOf(attribute, filter.path)
  return comparison(`e->>'${sub.name}'`, sub, filter)
}

/** The part of a list's values that a condition inside brackets names. Throws 400 `invalidFilter`. */
export function partOf(attribute: Attribute, { name, where }: FilterPath): Attribute {
  const sub = attribute.subAttributes?.find((one) => one.name.toLowerCase() === name.toLowerCase())
  if (!sub || where) throw unknown(`${attribute.name}.${name}`)
  return sub
}

function comparison(column: string, attribute: Attribute, term: Term): Sql {
  if (term.kind === 'present') return presentSql(column)
  const { operator, value } = term
  if (value === null) {
    if (operator === 'eq') return { text: `${column} is null`, values: [] }
    if (operator === 'ne') return { text: `${column} is not null`, values: [] }
    throw refused(`null can only be compared by eq and ne`)
  }
  if (attribute.type === 'boolean') return booleanSql(column, attribute, operator, value)
  if (attribute.type === 'dateTime') return dateSql(column, attribute, operator, value)
  if (typeof value !== 'string') throw refused(`${attribute.name} is a text`)
  return textSql(column, attribute.caseExact === true, operator, value)
}

function textSql(column: string, isExact: boolean, operator: Operator, value: string): Sql {
  const left = isExact ? `(${column})` : `lower(${column})`
  const right = isExact ? '?' : 'lower(?)'
  const compared: Record<Operator, string> = {
    eq: `${left} = ${right}`,
    ne: `${left} is distinct from ${right}`,
    co: `position(${right} in ${left}) > 0`,
    sw: `starts_with(${left}, ${right})`,
    ew: `right(${left}, char_length(${right})) = ${right}`,
    gt: `${left} collate "C" > ${right}`,
    ge: `${left} collate "C" >= ${right}`,
    lt: `${left} collate "C" < ${right}`,
    le: `${left} collate "C" <= ${right}`,
  }
  const values = operator === 'ew' ? [value, value] : [value]
  return { text: `coalesce(${compared[operator]}, false)`, values }
}

/** Entra writes booleans as texts: `active eq "True"`. */
function booleanSql(
  column: string,
  { name }: Attribute,
  operator: Operator,
  value: FilterValue,
): Sql {
  const wanted = String(value).toLowerCase()
  if (wanted !== 'true' && wanted !== 'false') throw refused(`${name} is true or false`)
  if (operator !== 'eq' && operator !== 'ne') {
    throw refused(`${name} can only be compared by eq and ne`)
  }
  const equal = `coalesce((${column})::text, 'false') = ?`
  return { text: operator === 'eq' ? equal : `not (${equal})`, values: [wanted] }
}

const dateForm = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/i

function dateSql(column: string, { name }: Attribute, operator: Operator, value: FilterValue): Sql {
  const at = typeof value === 'string' && dateForm.test(value) ? Date.parse(value) : Number.NaN
  const signs = { eq: '=', ne: '<>', gt: '>', ge: '>=', lt: '<', le: '<=' } as const
  const sign = Object.entries(signs).find(([one]) => one === operator)?.[1]
  if (Number.isNaN(at) || sign === undefined) throw refused(`${name} is compared with a time`)
  return { text: `${column} ${sign} ?::timestamptz`, values: [new Date(at).toISOString()] }
}

function presentSql(column: string): Sql {
  return { text: `coalesce((${column})::text, '') <> ''`, values: [] }
}

function joined(parts: readonly Sql[], by: 'and' | 'or'): Sql {
  return {
    text: parts.map(({ text }) => (parts.length > 1 ? `(${text})` : text)).join(` ${by} `),
    values: parts.flatMap(({ values }) => values),
  }
}

/** Names come from our own table of attributes, never from a client. */
function jsonOf(extension: string | null, name: string): string {
  return extension === null ? `r.data->'${name}'` : `r.data->'${extension}'->'${name}'`
}

function textOf(extension: string | null, name: string): string {
  return extension === null ? `r.data->>'${name}'` : `r.data->'${extension}'->>'${name}'`
}

function unknown(name: string): ScimError {
  return refused(`there is no attribute ${name.slice(0, 100)} to filter by`)
}

function refused(reason: string): ScimError {
  return new ScimError(400, `The filter cannot be used: ${reason}.`, 'invalidFilter')
}
