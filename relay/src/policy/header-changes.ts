import type { EdgePolicy } from '@sluice/schema/claims'
import { fieldOf, field } from '@sluice/wire'

/** What all added lines of one direction may take. Some of it is the room that the relay's own fields leave in a head. */
export const addedBytesMax = 16_384

/** Fields to take away and to add, ready for the hot path. */
export interface HeaderChanges {
  /** Lower case. */
  readonly removed: ReadonlySet<string>
  /** Whole lines, behind what is there. */
  readonly added: Buffer
}

const passing = new Set<number>([
  field.plain,
  field.authorization,
  field.accept,
  field.setCookie,
  field.headOnly,
])

/**
 * Undefined when nothing is changed. Names that belong to a hop or to the relay are left out, as are values that would
 * end their line: tunnels refuses them at the door, and a relay does not rely on it.
 */
export function compileHeaderChanges(
  changes: EdgePolicy['requestHeaders'],
): HeaderChanges | undefined {
  const removed = new Set<string>()
  for (const name of changes?.remove ?? []) if (mayChange(name)) removed.add(name.toLowerCase())
  let added = ''
  for (const [name, value] of changes?.add ?? []) {
    const line = `${name}: ${value}\r\n`
    if (!mayChange(name) || !isFieldValue(value)) continue
    if (Buffer.byteLength(added) + Buffer.byteLength(line) <= addedBytesMax) added += line
  }
  if (removed.size === 0 && added === '') return undefined
  return { removed, added: Buffer.from(added) }
}

function mayChange(name: string): boolean {
  const bytes = Buffer.from(name, 'latin1')
  return passing.has(fieldOf(bytes, 0, bytes.length, name.includes('_')))
}

/** RFC 9110 §5.5 without what would smuggle a line: no control characters but tab. */
function isFieldValue(value: string): boolean {
  // oxlint-disable-next-line no-control-regex -- They are what is looked for.
  return !/[\0-\x08\x0a-\x1f\x7f]/.test(value)
}
