import { plainText, textColumns } from './terminal-text.ts'

/** Rows under their headings, as wide as their widest cell. The last column is not padded. */
export function tableLines(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const cells = [headings, ...rows].map((row) => row.map(plainText))
  const widths = headings.map((_, at) =>
    Math.max(...cells.map((row) => textColumns(row[at] ?? ''))),
  )
  return cells.map((row) =>
    row
      .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - textColumns(cell)))
      .join('   ')
      .trimEnd(),
  )
}
