import { isDeepStrictEqual } from 'node:util'

import {
  attributeIn,
  extensionOf,
  findAttribute,
  type Attribute,
  type ResourceType,
} from './attributes.ts'
import { invalidValue, ScimError } from './scim-error.ts'

/** A resource, or a part of one, under the names of our own table of attributes. */
export type Data = Record<string, unknown>

const textCharactersMax = 1_000
const listValuesMax = 50
const dataBytesMax = 32 * 1024

/** The object of a body. Throws 400 `invalidSyntax`. */
export function objectOf(value: unknown, what = 'The body'): Data {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ScimError(400, `${what} is not a JSON object.`, 'invalidSyntax')
  }
  return value as Data
}

/**
 * What of a body is an attribute that clients write: names in our spelling, values of the right type. What we do not
 * know, or decide ourselves, is left out (RFC 7644 §3.3).
 */
export function readResource(type: ResourceType, body: unknown): Data {
  const resource: Data = {}
  for (const [key, value] of Object.entries(objectOf(body))) {
    const extension = extensionOf(type, key)
    if (!extension) {
      assign(resource, findAttribute(type, key)?.attribute, value)
      continue
    }
    if (value === null || value === undefined) continue
    const inner: Data = {}
    for (const [name, one] of Object.entries(objectOf(value, key))) {
      assign(inner, attributeIn(extension.attributes, name), one)
    }
    if (Object.keys(inner).length > 0) resource[extension.id] = inner
  }
  return resource
}

/** Throws 400 `invalidValue` for a resource that is more than anybody knows of a person. */
export function assertBounded(resource: Data): void {
  if (Buffer.byteLength(JSON.stringify(resource)) > dataBytesMax) {
    throw invalidValue(`The resource is larger than ${dataBytesMax} bytes.`)
  }
}

function assign(target: Data, attribute: Attribute | null | undefined, value: unknown): void {
  if (!attribute || attribute.readOnly || value === null || value === undefined) return
  target[attribute.name] = attribute.multiValued
    ? listOf(attribute, value)
    : valueOf(attribute, value)
}

/** One value of an attribute in its type. Throws 400 `invalidValue`. */
export function valueOf(attribute: Attribute, value: unknown): unknown {
  if (attribute.type === 'complex') return complexOf(attribute, value)
  if (attribute.type === 'boolean') return booleanOf(attribute, value)
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string') throw invalidValue(`${attribute.name} is not a text.`)
  if (text.length > textCharactersMax) {
    throw invalidValue(`${attribute.name} is longer than ${textCharactersMax} characters.`)
  }
  // PostgreSQL keeps neither.
  if (text.includes('\0') || !text.isWellFormed()) {
    throw invalidValue(`${attribute.name} has characters that cannot be kept.`)
  }
  return text
}

/** A list of values; one alone counts as a list. Of several primary ones the last is it (RFC 7643 §2.4). */
export function listOf(attribute: Attribute, value: unknown): Data[] {
  const values = (Array.isArray(value) ? value : [value]) as unknown[]
  if (values.length > listValuesMax) {
    throw invalidValue(`${attribute.name} has more than ${listValuesMax} values.`)
  }
  const list: Data[] = []
  for (const one of values) {
    const element = complexOf(attribute, one)
    if (list.some((known) => isDeepStrictEqual(known, element))) continue
    if (element['primary'] === true) for (const known of list) delete known['primary']
    list.push(element)
  }
  return list
}

/** Providers write `"manager": "26118"` and `"emails": ["ada@example.com"]` too: a bare text is the `value`. */
function complexOf(attribute: Attribute, given: unknown): Data {
  const one: unknown = Array.isArray(given) && given.length === 1 ? given[0] : given
  const parts = attribute.subAttributes ?? []
  const main = attributeIn(parts, 'value')
  if (typeof one === 'string' && main) return { [main.name]: valueOf(main, one) }
  const result: Data = {}
  for (const [name, value] of Object.entries(objectOf(one, attribute.name))) {
    const part = attributeIn(parts, name)
    if (!part || part.readOnly || value === null || value === undefined) continue
    result[part.name] = valueOf(part, value)
  }
  return result
}

/** Entra sends `"False"`. */
function booleanOf({ name }: Attribute, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  const text = typeof value === 'string' ? value.toLowerCase() : ''
  if (text === 'true' || text === 'false') return text === 'true'
  throw invalidValue(`${name} is neither true nor false.`)
}

const namesMax = 100

/** What `attributes` and `excludedAttributes` ask for (RFC 7644 §3.9). */
export interface Wanted {
  readonly only: readonly string[]
  readonly without: readonly string[]
}

export function wantedOf(only: readonly string[], without: readonly string[]): Wanted {
  const names = (list: readonly string[]) =>
    list
      .flatMap((text) => text.split(','))
      .map((name) => name.trim())
      .filter(Boolean)
  const wanted = { only: names(only), without: names(without) }
  if (wanted.only.length + wanted.without.length > namesMax) {
    throw invalidValue(`More than ${namesMax} attributes are named.`)
  }
  return wanted
}

/** Whether an attribute will be part of the answer: what is not need not be read. */
export function isWanted(type: ResourceType, { only, without }: Wanted, name: string): boolean {
  const named = (list: readonly string[], whole: boolean) =>
    list.some((text) => {
      const found = findAttribute(type, text)
      return found?.attribute.name === name && !(whole && found.sub)
    })
  return (only.length === 0 || named(only, false)) && !named(without, true)
}

/** The resource as far as it is wanted; `id` and `schemas` always are. */
export function project(type: ResourceType, resource: Data, wanted: Wanted): Data {
  const answer = wanted.only.length === 0 ? structuredClone(resource) : pick(type, resource, wanted)
  for (const text of wanted.without) {
    const extension = extensionOf(type, text)
    if (extension) delete answer[extension.id]
    const found = findAttribute(type, text)
    if (!found || found.attribute.always) continue
    const holder = (found.extension === null ? answer : answer[found.extension]) as Data | undefined
    if (!holder) continue
    const { name } = found.attribute
    const sub = found.sub?.name
    if (sub === undefined) delete holder[name]
    else for (const one of [holder[name]].flat() as Data[]) delete one?.[sub]
  }
  return answer
}

function pick(type: ResourceType, resource: Data, { only }: Wanted): Data {
  const answer: Data = { schemas: resource['schemas'], id: resource['id'] }
  for (const text of only) {
    const extension = extensionOf(type, text)
    if (extension && resource[extension.id]) answer[extension.id] = resource[extension.id]
    const found = findAttribute(type, text)
    if (!found) continue
    const { attribute, sub } = found
    const from = found.extension === null ? resource : resource[found.extension]
    const value = (from as Data | undefined)?.[attribute.name]
    if (value === undefined) continue
    if (found.extension !== null) answer[found.extension] ??= {}
    const to = (found.extension === null ? answer : answer[found.extension]) as Data
    to[attribute.name] = sub ? withPart(to[attribute.name], value, sub.name) : value
  }
  return structuredClone(answer)
}

/** Adds one part of a value, or of each value of a list, to what was picked of it before. */
function withPart(picked: unknown, value: unknown, part: string): unknown {
  const one = (before: unknown, from: unknown): Data => {
    const found = (from as Data)[part]
    return { ...(before as Data | undefined), ...(found === undefined ? {} : { [part]: found }) }
  }
  if (!Array.isArray(value)) return one(picked, value)
  const before = (picked ?? []) as unknown[]
  return value.map((from, index) => one(before[index], from))
}
