import type { Problem } from '@sluice/schema/errors'

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** What a page lets the visitor do. */
export interface PageOffer {
  /** Where it goes on from here. */
  readonly onward?: string
  /** The page loads itself again. */
  readonly retryAfterSeconds?: number
}

/** A page for people: complete in itself, without a link that a server of one's own could not keep, and with every text escaped, since details may come from an agent. */
export function errorPage(
  { title, status, detail, fix, code }: Problem,
  { onward, retryAfterSeconds }: PageOffer = {},
): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">${
    retryAfterSeconds === undefined
      ? ''
      : `\n<meta http-equiv="refresh" content="${retryAfterSeconds}">`
  }
<title>${escape(title)}</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #f6f8fa; --card: #fff; --line: #d0d7de; --accent: #0b6bcb }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --paper: #0d1117; --card: #161b22; --line: #30363d; --accent: #6cb6ff } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif }
main { max-width: 40rem; width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 2rem }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere }
p { margin: .5rem 0; overflow-wrap: anywhere }
.status { color: var(--soft); font-variant-numeric: tabular-nums; margin: 0 0 .5rem }
.fix { border-left: 3px solid var(--accent); padding-left: .75rem; margin-top: 1rem }
footer { margin-top: 1.5rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem }
a { display: inline-block; margin-top: .75rem; padding: .5rem 1rem; border-radius: 8px; background: var(--accent); color: var(--card); font-weight: 600; text-decoration: none }
code { font-family: ui-monospace, monospace }
</style>
</head>
<body>
<main>
<p class="status">${status}</p>
<h1>${escape(title)}</h1>
<p>${escape(detail)}</p>
<p class="fix">${withCode(escape(fix))}</p>${
    onward === undefined ? '' : `\n<p><a href="${escape(onward)}" rel="nofollow">Go on</a></p>`
  }${
    retryAfterSeconds === undefined
      ? ''
      : `\n<p class="status" role="status">This page looks again every ${retryAfterSeconds} seconds.</p>`
  }
<footer><code>${code}</code> · Sluice</footer>
</main>
</body>
</html>
`
}

/** What the catalogue writes between backticks is to be typed. */
function withCode(text: string): string {
  return text.replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign)
}
