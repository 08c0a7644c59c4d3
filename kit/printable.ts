/** Text that a stranger wrote, fit to store and to show: at most `charactersMax`, nothing invisible in it. */
export function printable(text: string, charactersMax: number): string {
  // PostgreSQL refuses the zero character; others could hide or reorder what people read.
  return text.slice(0, charactersMax).replaceAll(/[\p{Cc}\p{Cf}]/gu, '\uFFFD')
}
