/** Something of the other file that has no counterpart, or that a person has to finish. */
export interface ImportNote {
  readonly line: number
  /** `tunnels.app.oauth`. */
  readonly key: string
  readonly message: string
}

/** A tunnel in the words of a project file. */
export type ImportedTunnel = Record<string, unknown> & { target: string | number }

export interface Imported {
  readonly agent: Record<string, unknown>
  readonly tunnels: Record<string, ImportedTunnel>
  readonly notes: readonly ImportNote[]
}

export type Values = Readonly<Record<string, unknown>>

export function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function textsOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string')
}

/** A value as a person would write it. */
export function textOf(value: unknown, otherwise = ''): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : otherwise
}

/** Names of headers whose values are secrets more often than not. */
const secretHeader = /auth|cookie|credential|key|password|secret|token/i

/** `Name: value` lines; what looks like a secret becomes the variable that it shall stand in. */
export function headerLines(
  tunnel: string,
  lines: readonly string[],
  note: (message: string) => void,
): string[] {
  return lines.map((line) => {
    const header = line.slice(0, Math.max(0, line.indexOf(':'))).trim()
    if (!secretHeader.test(header)) return line
    const variable = variableOf(tunnel, header.replaceAll(/[^A-Za-z0-9]/g, '_'))
    note(`sets ${header}, whose value was not copied: put it into ${variable}`)
    return `${header}: env:${variable}`
  })
}

/** A name that a project file takes: letters, digits and hyphens. */
export function nameOf(text: string): string {
  const name = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return name.slice(0, 63).replaceAll(/^-+|-+$/g, '') || 'tunnel'
}

/** The name that stands for a domain: its first label, but for the `www` that every server keeps to itself. */
export function nameOfDomain(domain: string): string {
  const [label = ''] = domain.replace(/^www\./i, '').split('.')
  return nameOf(label)
}

/** The variable in which a secret of a tunnel shall stand: secrets are never copied. */
export function variableOf(tunnel: string, what: string): string {
  return `${tunnel}_${what}`
    .toUpperCase()
    .replaceAll('-', '_')
    .replace(/^(?=\d)/, '_')
}

export const noCounterpart = 'has no counterpart and was left out'
