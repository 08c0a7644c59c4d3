import type { Problem } from '../graph/problem.ts'
import { unreachable } from '../graph/problem.ts'

/** Downloads what a path of the server answers, with the sign-in, which a link could not carry. Answers the problem, or null. */
export async function download(
  path: string,
  { name, token }: { readonly name: string; readonly token: string | null },
): Promise<Problem | null> {
  try {
    const response = await fetch(path, { headers: { authorization: `Bearer ${token ?? ''}` } })
    if (!response.ok) return await problemOf(response)
    saveAs(await response.blob(), name)
    return null
  } catch (error) {
    return unreachable(error)
  }
}

/** Offers a text as a file. */
export function saveText(text: string, name: string): void {
  saveAs(new Blob([text], { type: 'text/plain' }), name)
}

/** Today in a file's name. */
export function today(): string {
  return new Date().toISOString().slice(0, 10)
}

function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  URL.revokeObjectURL(url)
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>
  const text = (key: string) => (typeof body[key] === 'string' ? body[key] : '')
  if (text('code') === '') return unreachable(`the answer was ${response.status}`)
  const code = text('code')
  const docsUrl = `/errors/${code}`
  return { code, title: text('title'), cause: text('detail'), fix: text('fix'), docsUrl }
}
