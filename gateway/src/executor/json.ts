/** A parsed JSON object. */
export type Fields = Record<string, unknown>

/** Names that every object or list has without being sent: only these need an own-property check. */
export function isInherited(name: string): boolean {
  return name in Array.prototype
}

export function ownOf(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Fields)[name] : undefined
}

/**
 * Merges an answer into what is known already, as `@apollo/gateway` does: objects by name, lists of one length by index,
 * all else replaced. Parts of `source` become parts of `target`: it must belong to nobody else.
 */
export function mergeInto(target: unknown, source: unknown): void {
  if (source === undefined || source === null) return
  const into = target as Fields
  const from = source as Fields
  for (const name of Object.keys(from)) {
    const value = from[name]
    if (value === undefined) continue
    const known = knownOf(into, name)
    if (known && isObject(value)) mergeInto(known, value)
    else if (Array.isArray(value) && Array.isArray(known) && value.length === known.length) {
      for (const [index, item] of (value as unknown[]).entries()) {
        if (isObject(known[index]) && isObject(item)) mergeInto(known[index], item)
        else known[index] = item
      }
    } else into[name] = value
  }
}

/** What the target itself holds. A name that it would inherit becomes its own, so that no prototype is written to. */
function knownOf(into: Fields, name: string): unknown {
  if (!Object.hasOwn(into, name) && name in into) {
    Object.defineProperty(into, name, {
      configurable: true,
      enumerable: true,
      value: undefined,
      writable: true,
    })
  }
  return into[name]
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
