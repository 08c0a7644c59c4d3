import { webhookProviders } from '@sluice/schema/edge-policy'
import { SluiceError } from '@sluice/schema/errors'

import { readYamlValues } from '../project/yaml-values.ts'
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

type Path = readonly string[]
type Note = (path: Path, message: string) => void

/** Reads ngrok.yml of version 2 and 3: `tunnels` of both, `endpoints` and `agent` of 3. */
export function importNgrok(text: string, file: string): Imported {
  const yaml = readYamlValues(text, { env: null, verbatimKeys: new Set() })
  const [fault] = yaml.faults
  if (fault || !isValues(yaml.value)) {
    const place = fault ? `${file}:${fault.line}:${fault.column}: ${fault.message}` : file
    throw new SluiceError('SLUICE_PROJECT_INVALID', { file, reason: place })
  }
  const notes: ImportNote[] = []
  const note: Note = (path, message) => {
    const { line } = yaml.keyPositionOf(path.slice(0, -1), path.at(-1) ?? '')
    notes.push({ line, key: path.join('.'), message })
  }
  const { agent, tunnels, endpoints, version: _version, ...rest } = yaml.value
  const imported: Record<string, ImportedTunnel> = {}
  const settings = agentOf({ ...rest, ...(isValues(agent) ? agent : {}) }, (key, message) =>
    note(isValues(agent) && key in agent ? ['agent', key] : [key], message),
  )
  for (const [name, tunnel] of Object.entries(isValues(tunnels) ? tunnels : {})) {
    const path = ['tunnels', name]
    const made = isValues(tunnel) ? tunnelOf(nameOf(name), tunnel, path, note) : null
    if (made) imported[nameOf(name)] = made
    else if (!isValues(tunnel)) note(path, noCounterpart)
  }
  for (const [index, endpoint] of (Array.isArray(endpoints) ? endpoints : []).entries()) {
    const path = ['endpoints', String(index)]
    if (!isValues(endpoint)) continue
    const name = nameOf(textOf(endpoint['name'], `endpoint-${index + 1}`))
    const made = endpointOf(endpoint, path, note)
    if (made) imported[name] = made
  }
  return { agent: settings, tunnels: imported, notes: notes.toSorted((a, b) => a.line - b.line) }
}

/** Settings of ngrok’s own program that mean nothing here and that nobody misses. */
const idle = new Set(['console_ui', 'console_ui_color', 'log', 'log_level', 'log_format'])
const silent = new Set([...idle, 'update_channel', 'update_check', 'update', 'remote_management'])

function agentOf(values: Values, note: (key: string, message: string) => void): Values {
  const agent: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(values)) {
    if (key === 'web_addr' || key === 'inspect_port') {
      const port = /:?(\d+)$/.exec(textOf(value))?.[1]
      if (value === false || value === 'false') agent['inspect'] = false
      else if (port) agent['inspect-port'] = Number(port)
    } else if (key === 'proxy_url') {
      const isPlain = /^https?:\/\/[^@]*$/.test(textOf(value))
      if (isPlain) agent['proxy'] = value
      else note(key, 'was left out: it holds a password or is no HTTP proxy. Use HTTPS_PROXY.')
    } else if (key === 'authtoken' || key === 'api_key') {
      note(key, 'is a secret of ngrok and was not copied. Run `sluice login`.')
    } else if (key === 'region') note(key, 'names a region of ngrok; choose one of yours.')
    else if (!silent.has(key)) note(key, noCounterpart)
  }
  return agent
}

function tunnelOf(name: string, values: Values, path: Path, note: Note): ImportedTunnel | null {
  const proto = textOf(values['proto'], 'http')
  if (proto !== 'http' && proto !== 'tcp' && proto !== 'tls') {
    note([...path, 'proto'], noCounterpart)
    return null
  }
  const target = targetOf(values['addr'])
  if (target === null) {
    note([...path, 'addr'], 'cannot be forwarded to: only ports and http(s) addresses can')
    return null
  }
  const tunnel: ImportedTunnel = { ...(proto === 'http' ? {} : { proto }), target }
  for (const [key, value] of Object.entries(values)) {
    if (key === 'proto' || key === 'addr') continue
    const isTaken = takeField(tunnel, name, key, value, (message, at = []) =>
      note([...path, key, ...at], message),
    )
    if (!isTaken) note([...path, key], noCounterpart)
  }
  return tunnel
}

/** Takes over one field of a tunnel. False when there is nothing that means the same. */
function takeField(
  tunnel: ImportedTunnel,
  name: string,
  key: string,
  value: unknown,
  note: (message: string, at?: Path) => void,
): boolean {
  switch (key) {
    case 'subdomain':
      tunnel['name'] = nameOf(textOf(value))
      return true
    case 'hostname':
    case 'domain':
      tunnel['name'] = nameOfDomain(textOf(value))
      note(`became the name ${textOf(tunnel['name'])}; add ${textOf(value)} itself in the console`)
      return true
    case 'host_header':
      tunnel['host-header'] = value
      return true
    case 'inspect':
      if (value === false) tunnel['inspect'] = false
      return true
    case 'auth':
    case 'basic_auth': {
      const variables = textsOf(value).map((_text, at) =>
        variableOf(name, at === 0 ? 'BASIC_AUTH' : `BASIC_AUTH_${at + 1}`),
      )
      tunnel['basic-auth'] = variables.map((variable) => `env:${variable}`)
      note(`is a secret and was not copied: put user:password into ${variables.join(', ')}`)
      return true
    }
    case 'ip_restriction':
      return takePart(value, { allow_cidrs: 'allow-ip', deny_cidrs: 'deny-ip' }, tunnel)
    case 'request_header':
    case 'response_header': {
      const side = key === 'request_header' ? 'request' : 'response'
      const keys = { add: `${side}-header`, remove: `remove-${side}-header` }
      if (!takePart(value, keys, tunnel)) return false
      const added = tunnel[keys.add]
      if (added) tunnel[keys.add] = headerLines(name, textsOf(added), note)
      return true
    }
    case 'compression':
      tunnel['compress'] = value === true
      return true
    case 'verify_webhook': {
      const provider = isValues(value) ? textOf(value['provider']).toLowerCase() : ''
      if (!webhookProviders.some((each) => each === provider)) return false
      const variable = variableOf(name, 'WEBHOOK_SECRET')
      tunnel['verify-webhook'] = `${provider}=env:${variable}`
      note(`holds a secret that was not copied: put it into ${variable}`)
      return true
    }
    // Each tunnel has an http and an https address.
    case 'bind_tls':
    case 'schemes':
      return true
    default:
      return false
  }
}

function takePart(
  value: unknown,
  keys: Readonly<Record<string, string>>,
  tunnel: ImportedTunnel,
): boolean {
  if (!isValues(value)) return false
  for (const [key, texts] of Object.entries(value)) {
    const ours = keys[key]
    if (ours === undefined) return false
    tunnel[ours] = textsOf(texts)
  }
  return true
}

/** An endpoint of version 3: a public URL and an upstream. */
function endpointOf(values: Values, path: Path, note: Note): ImportedTunnel | null {
  const upstream = isValues(values['upstream']) ? values['upstream'] : {}
  const target = targetOf(upstream['url'])
  if (target === null) {
    note([...path, 'upstream'], 'cannot be forwarded to: only ports and http(s) addresses can')
    return null
  }
  const url = typeof values['url'] === 'string' ? values['url'] : ''
  const [, scheme = 'https', host = ''] = /^(?:([a-z]+):\/\/)?([^:/]*)/.exec(url) ?? []
  const proto = scheme === 'tcp' || scheme === 'tls' ? scheme : 'http'
  const tunnel: ImportedTunnel = { ...(proto === 'http' ? {} : { proto }), target }
  if (host !== '' && proto !== 'tcp') {
    tunnel['name'] = nameOfDomain(host)
    note([...path, 'url'], `became the name ${textOf(tunnel['name'])}; add ${host} in the console`)
  }
  if (upstream['protocol'] === 'http2') tunnel['upstream-protocol'] = 'http2'
  for (const key of Object.keys(upstream)) {
    if (key !== 'url' && key !== 'protocol') note([...path, 'upstream', key], noCounterpart)
  }
  for (const key of Object.keys(values)) {
    if (!['name', 'url', 'upstream', 'description', 'metadata'].includes(key)) {
      note([...path, key], noCounterpart)
    }
  }
  return tunnel
}

/** `3000`, `host:3000` and origins are the same here; files and what else has a scheme are not. */
function targetOf(value: unknown): string | number | null {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value === '') return null
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value) ?? []
  if (scheme === undefined) return /^\d+$/.test(value) ? Number(value) : value
  if (scheme === 'tcp' || scheme === 'tls') return value.slice(scheme.length + 3)
  return scheme === 'http' || scheme === 'https' ? value.replace(/\/$/, '') : null
}
