import { SluiceError } from '@sluice/schema/errors'
import { parse, TomlError } from 'smol-toml'

import {
  isValues,
  nameOf,
  nameOfDomain,
  headerLines,
  noCounterpart,
  textOf,
  textsOf,
  variableOf,
  type Imported,
  type ImportedTunnel,
  type ImportNote,
  type Values,
} from './imported.ts'

const kinds: Readonly<Record<string, string>> = {
  http: 'http',
  // frp hands TLS to the service as it comes.
  https: 'tls',
  tcp: 'tcp',
  udp: 'udp',
}

/** Settings of the program itself that have nothing to say here. */
const silent = new Set(['log', 'webServer', 'start', 'includes', 'loginFailExit', 'user'])

/** Reads frpc.toml. */
export function importFrpc(text: string, file: string): Imported {
  let values: Values
  try {
    values = parse(text)
  } catch (error) {
    const place = error instanceof TomlError ? `${file}:${error.line}:${error.column}: ` : ''
    const reason = `${place}${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
    throw new SluiceError('SLUICE_PROJECT_INVALID', { file, reason }, { cause: error })
  }
  const notes: ImportNote[] = []
  const lines = text.split('\n')
  const note = (line: number, key: string, message: string) => notes.push({ line, key, message })
  const { proxies, visitors, serverAddr: _address, serverPort: _port, ...rest } = values
  for (const key of Object.keys(rest)) {
    if (key === 'auth') {
      note(
        lineOf(lines, key, 0),
        key,
        'holds a secret of frp and was not copied. Run `sluice login`.',
      )
    } else if (!silent.has(key)) note(lineOf(lines, key, 0), key, noCounterpart)
  }
  const tunnels: Record<string, ImportedTunnel> = {}
  const heads = lines.flatMap((line, at) => (/^\s*\[\[\s*proxies\s*\]\]/.test(line) ? [at] : []))
  for (const [index, proxy] of (Array.isArray(proxies) ? proxies : []).entries()) {
    if (!isValues(proxy)) continue
    const head = heads[index] ?? 0
    const name = nameOf(textOf(proxy['name'], `proxy-${index + 1}`))
    const made = tunnelOf(name, proxy, (key, message) =>
      note(lineOf(lines, key, head), `proxies.${name}.${key}`, message),
    )
    if (made) tunnels[name] = made
  }
  if (Array.isArray(visitors)) note(lineOf(lines, 'visitors', 0), 'visitors', noCounterpart)
  return { agent: {}, tunnels, notes: notes.toSorted((a, b) => a.line - b.line) }
}

function tunnelOf(
  name: string,
  values: Values,
  note: (key: string, message: string) => void,
): ImportedTunnel | null {
  const type = textOf(values['type'], 'tcp')
  const proto = kinds[type]
  if (proto === undefined) {
    note('type', `${type} ${noCounterpart}: Sluice has no tunnels that only agents reach`)
    return null
  }
  const port = values['localPort']
  if (typeof port !== 'number') {
    note('name', 'has no localPort and was left out')
    return null
  }
  const host = textOf(values['localIP'], '127.0.0.1')
  const target = host === '127.0.0.1' ? port : `${host.includes(':') ? `[${host}]` : host}:${port}`
  const tunnel: ImportedTunnel = { ...(proto === 'http' ? {} : { proto }), target }
  for (const [key, value] of Object.entries(values)) {
    if (['name', 'type', 'localIP', 'localPort', 'annotations', 'metadatas'].includes(key)) continue
    if (!takeField(tunnel, name, key, value, (message) => note(key, message))) {
      note(key, noCounterpart)
    }
  }
  return tunnel
}

function takeField(
  tunnel: ImportedTunnel,
  name: string,
  key: string,
  value: unknown,
  note: (message: string) => void,
): boolean {
  switch (key) {
    case 'subdomain':
      tunnel['name'] = nameOf(textOf(value))
      return true
    case 'customDomains': {
      const domains = textsOf(value)
      tunnel['name'] ??= nameOfDomain(domains[0] ?? '')
      note(`became the name ${textOf(tunnel['name'])}; add ${domains.join(', ')} in the console`)
      return true
    }
    case 'hostHeaderRewrite':
      tunnel['host-header'] = value
      return true
    case 'httpUser':
    case 'httpPassword': {
      const variable = variableOf(name, 'BASIC_AUTH')
      tunnel['basic-auth'] = [`env:${variable}`]
      if (key === 'httpPassword') {
        note(`is a secret and was not copied: put user:password into ${variable}`)
      }
      return true
    }
    case 'remotePort':
      note(
        'was left out: `port` takes one that your server gives to tunnels, or it gives a free one',
      )
      return true
    case 'requestHeaders':
      return takeHeaders(tunnel, 'request-header', value, name, note)
    case 'responseHeaders':
      return takeHeaders(tunnel, 'response-header', value, name, note)
    case 'transport':
      return takeTransport(tunnel, value)
    default:
      return false
  }
}

/** `requestHeaders.set.x-from = "frp"`. */
function takeHeaders(
  tunnel: ImportedTunnel,
  ours: string,
  value: unknown,
  name: string,
  note: (message: string) => void,
): boolean {
  const set = isValues(value) ? value['set'] : undefined
  if (!isValues(set)) return false
  const fields = Object.entries(set).map(([field, text]) => `${field}: ${textOf(text)}`)
  tunnel[ours] = headerLines(name, fields, note)
  return true
}

function takeTransport(tunnel: ImportedTunnel, value: unknown): boolean {
  if (!isValues(value)) return false
  const { bandwidthLimit, useEncryption: _always, useCompression: _link, ...rest } = value
  if (typeof bandwidthLimit === 'string') tunnel['bandwidth'] = bandwidthLimit.toLowerCase()
  return Object.keys(rest).length === 0
}

/** The line of a key behind a heading, as far as TOML’s ways to write one can be told apart by sight. */
function lineOf(lines: readonly string[], key: string, from: number): number {
  const escaped = key.replaceAll(/[^A-Za-z0-9_-]/g, '')
  const form = new RegExp(`^\\s*(?:\\[+\\s*(?:[\\w-]+\\.)*)?"?${escaped}"?\\s*(?:=|\\.|\\])`)
  const at = lines.findIndex((line, index) => index >= from && form.test(line))
  return (at < 0 ? from : at) + 1
}
