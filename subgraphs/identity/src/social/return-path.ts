import { inputInvalid } from '../text.ts'

const returnPathCharactersMax = 1_000

/**
 * A path of the console to come back to, as a browser will read it. Whatever could lead elsewhere is refused: another
 * host in any spelling (`//host`, `/\host`, `/<tab>/host`), or a path that becomes one (`/.//host`).
 */
export function returnPathOf(text: string, consoleOrigin: string): string {
  const { origin } = new URL(consoleOrigin)
  if (
    text.startsWith('/') &&
    text.length <= returnPathCharactersMax &&
    URL.canParse(text, origin)
  ) {
    const url = new URL(text, origin)
    const isOurs = url.origin === origin && !url.pathname.startsWith('//')
    if (isOurs) return `${url.pathname}${url.search}${url.hash}`
  }
  throw inputInvalid('the way back is not a path of the console')
}
