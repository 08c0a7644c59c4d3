const editsMax = 2

/** The word that was probably meant, if one is near enough. */
export function nearestOf(word: string, words: readonly string[]): string | undefined {
  const near = words
    .map((each) => ({ each, edits: editsBetween(word, each) }))
    .filter(({ edits }) => edits <= editsMax)
  return near.toSorted((a, b) => a.edits - b.edits)[0]?.each
}

/** Letters to add, drop or change; two rows of the usual table. */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let at = 1; at <= from.length; at += 1) {
    const next = [at]
    for (let other = 1; other <= to.length; other += 1) {
      const change = (row[other - 1] ?? 0) + (from[at - 1] === to[other - 1] ? 0 : 1)
      next.push(Math.min(change, (row[other] ?? 0) + 1, (next[other - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
