import {
  extensionOf,
  findAttribute,
  type Attribute,
  type AttributePath,
  type ResourceType,
} from './attributes.ts'
import { partOf } from './filter-sql.ts'
import { parsePath, type Filter, type FilterPath } from './filter.ts'
import { listOf, objectOf, valueOf, type Data } from './resource.ts'
import { ScimError } from './scim-error.ts'

const operationsMax = 1_000

/** One step of a PATCH (RFC 7644 §3.5.2), its path read. */
export interface Operation {
  readonly op: 'add' | 'replace' | 'remove'
  readonly path: FilterPath | null
  readonly value: unknown
}

/** Reads the body of a PATCH: names and operations in any case, as Entra writes `Add`. */
export function readOperations(body: unknown): Operation[] {
  const found = Object.entries(objectOf(body)).find(([key]) => key.toLowerCase() === 'operations')
  const list: unknown = found?.[1]
  if (!Array.isArray(list) || list.length === 0) {
    throw new ScimError(400, 'The body has no Operations.', 'invalidSyntax')
  }
  if (list.length > operationsMax) {
    throw new ScimError(413, `A PATCH has at most ${operationsMax} operations.`)
  }
  return list.map((one: unknown) => {
    const { op, path, value } = objectOf(one, 'An operation')
    const name = typeof op === 'string' ? op.toLowerCase() : ''
    if (name !== 'add' && name !== 'replace' && name !== 'remove') {
      throw new ScimError(400, 'An operation is none of add, replace and remove.', 'invalidSyntax')
    }
    if (path !== undefined && path !== null && typeof path !== 'string') {
      throw new ScimError(400, 'The path of an operation is not a text.', 'invalidPath')
    }
    if (name === 'remove' && !path) {
      throw new ScimError(400, 'A remove names no path.', 'noTarget')
    }
    return { op: name, path: path ? parsePath(path) : null, value }
  })
}

/** Applies one operation to a resource, in place. */
export function applyOperation(type: ResourceType, resource: Data, operation: Operation): void {
  const { op, path, value } = operation
  if (!path) {
    applyAll(type, resource, op, objectOf(value, 'The value of an operation without path'), '')
    return
  }
  const extension = extensionOf(type, path.name)
  if (extension) {
    if (op === 'remove') delete resource[extension.id]
    else applyAll(type, resource, op, objectOf(value, 'The value'), `${extension.id}:`)
    return
  }
  const found = findAttribute(type, path.name)
  if (!found) {
    throw new ScimError(400, `There is no attribute ${path.name.slice(0, 100)}.`, 'invalidPath')
  }
  if (found.attribute.readOnly || found.sub?.readOnly) {
    throw new ScimError(400, `${path.name} cannot be changed.`, 'mutability')
  }
  applyTo(holderOf(resource, found), found, operation, path)
}

/**
 * Without a path the keys of the value are the paths: `displayName`, `name.givenName`, whole extensions. Okta repeats `id`
 * there; what cannot be changed, or is not known, is left alone.
 */
function applyAll(
  type: ResourceType,
  resource: Data,
  op: 'add' | 'replace' | 'remove',
  value: Data,
  prefix: string,
): void {
  for (const [key, one] of Object.entries(value)) {
    const extension = prefix === '' ? extensionOf(type, key) : null
    if (extension) {
      applyAll(type, resource, op, objectOf(one, key), `${extension.id}:`)
      continue
    }
    const found = findAttribute(type, prefix + key)
    if (!found) {
      if (key.includes('['))
        applyOperation(type, resource, { op, path: parsePath(key), value: one })
      continue
    }
    if (found.attribute.readOnly || found.sub?.readOnly) continue
    const path = { name: key, where: null, sub: null }
    applyTo(holderOf(resource, found), found, { op, path, value: one }, path)
  }
}

function holderOf(resource: Data, { extension }: AttributePath): Data {
  if (extension === null) return resource
  resource[extension] ??= {}
  return resource[extension] as Data
}

function applyTo(holder: Data, found: AttributePath, operation: Operation, path: FilterPath): void {
  const { attribute, sub } = found
  const { op, value } = operation
  if (attribute.multiValued) {
    const part =
      sub ??
      (path.sub === null ? null : partOf(attribute, { name: path.sub, where: null, sub: null }))
    holder[attribute.name] = changedList(
      attribute,
      part,
      path.where,
      operation,
      holder[attribute.name],
    )
    if ((holder[attribute.name] as Data[]).length === 0) delete holder[attribute.name]
    return
  }
  if (path.where) {
    throw new ScimError(
      400,
      `${attribute.name} has one value, so it takes no brackets.`,
      'invalidPath',
    )
  }
  const isGone = op === 'remove' || value === null || value === undefined
  if (sub) {
    const whole = (holder[attribute.name] ?? {}) as Data
    if (isGone) delete whole[sub.name]
    else whole[sub.name] = valueOf(sub, value)
    holder[attribute.name] = whole
    return
  }
  if (isGone) delete holder[attribute.name]
  else if (attribute.type === 'complex') {
    const changed = valueOf(attribute, value) as Data
    holder[attribute.name] = { ...(holder[attribute.name] as Data | undefined), ...changed }
  } else holder[attribute.name] = valueOf(attribute, value)
}

function changedList(
  attribute: Attribute,
  part: Attribute | null,
  where: Filter | null,
  { op, value }: Operation,
  before: unknown,
): Data[] {
  const list = (before ?? []) as Data[]
  const isMatch = (one: Data) => where === null || matches(attribute, where, one)
  if (op === 'remove') {
    if (part) return list.map((one) => (isMatch(one) ? withoutPart(one, part.name) : one))
    // Entra removes members by `value` instead of by brackets.
    const gone = value === undefined || value === null ? null : listOf(attribute, value)
    return list.filter((one) => {
      const isNamed = gone === null || gone.some((other) => other['value'] === one['value'])
      return !(isMatch(one) && isNamed)
    })
  }
  if (!part && where === null) {
    const given = value === null || value === undefined ? [] : listOf(attribute, value)
    return op === 'replace' ? given : listOf(attribute, [...list, ...given])
  }
  const changed = (
    part
      ? { [part.name]: valueOf(part, value) }
      : valueOf({ ...attribute, multiValued: undefined as never }, value)
  ) as Data
  const isPrimary = changed['primary'] === true
  const base = list.some(isMatch) ? list : [...list, templateOf(attribute, where)]
  const target = (one: Data) => (base === list ? isMatch(one) : one === base.at(-1))
  return listOf(
    attribute,
    base.map((one) => {
      if (target(one)) return { ...one, ...changed }
      return isPrimary ? withoutPart(one, 'primary') : one
    }),
  )
}

/**
 * What `emails[type eq "work"].value` makes when there is no such value yet. The RFC would refuse a replace; Entra counts on
 * it being made. Only a filter that says what the value is can make one.
 */
function templateOf(attribute: Attribute, where: Filter | null): Data {
  if (where === null) return {}
  const terms = where.kind === 'and' ? where.filters : [where]
  const template: Data = {}
  for (const term of terms) {
    if (term.kind !== 'compare' || term.operator !== 'eq' || term.value === null) {
      throw new ScimError(400, `No value of ${attribute.name} is meant by the path.`, 'noTarget')
    }
    const part = partOf(attribute, term.path)
    template[part.name] = valueOf(part, term.value)
  }
  return template
}

/** Whether one value of a list is what the brackets of a path ask for. */
function matches(attribute: Attribute, filter: Filter, one: Data): boolean {
  if ('filters' in filter) {
    const isOne = (part: Filter) => matches(attribute, part, one)
    return filter.kind === 'and' ? filter.filters.every(isOne) : filter.filters.some(isOne)
  }
  if (filter.kind === 'not') return !matches(attribute, filter.filter, one)
  const part = partOf(attribute, filter.path)
  const value = one[part.name] ?? (part.type === 'boolean' ? false : '')
  if (filter.kind === 'present') return value !== ''
  const fold = (text: unknown) => (part.caseExact ? String(text) : String(text).toLowerCase())
  const [left, right] = [fold(value), fold(filter.value)]
  const compared = {
    eq: left === right,
    ne: left !== right,
    co: left.includes(right),
    sw: left.startsWith(right),
    ew: left.endsWith(right),
    gt: left > right,
    ge: left >= right,
    lt: left < right,
    le: left <= right,
  }
  return compared[filter.operator]
}

function withoutPart(one: Data, part: string): Data {
  const { [part]: _gone, ...rest } = one
  return rest
}
