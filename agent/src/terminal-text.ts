/**
 * Control characters, and marks that reorder text. A path or a header is chosen by a visitor: on a
 * terminal its escape sequences would move the cursor, rename the window or fill the clipboard.
 */
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const unsafe = /[\u0000-\u001F\u007F-\u009F\u061C\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/g

/** A text from outside, made safe for a terminal: what could steer it becomes a visible mark. */
export function plainText(text: string): string {
  return text.replaceAll(unsafe, '\uFFFD')
}

/** East Asian wide characters and emoji, which take two columns. */
const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u
const combining = /\p{M}/u

function columnsOf(character: string): number {
  if (combining.test(character)) return 0
  return wide.test(character) ? 2 : 1
}

/** How many columns a text without control characters takes. */
export function textColumns(text: string): number {
  let columns = 0
  for (const character of text) columns += columnsOf(character)
  return columns
}

/** Cuts a text to a number of columns; a cut is shown by `…`. */
export function cutText(text: string, columnsMax: number): string {
  if (textColumns(text) <= columnsMax) return text
  if (columnsMax < 1) return ''
  let columns = 0
  let kept = ''
  for (const character of text) {
    columns += columnsOf(character)
    if (columns > columnsMax - 1) break
    kept += character
  }
  return `${kept}…`
}

/** A text in exactly so many columns. */
export function fitText(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const cut = cutText(text, columns)
  const padding = ' '.repeat(Math.max(0, columns - textColumns(cut)))
  return align === 'left' ? cut + padding : padding + cut
}
