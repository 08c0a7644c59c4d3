import { Agent, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { isIP, BlockList, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'

import { SluiceError } from '@sluice/schema/errors'

import { isLoopback } from './localhost.ts'
import { findNetwork } from './network.ts'

const connectTimeoutMs = 10_000
const portOf: Readonly<Record<string, number>> = { 'https:': 443, 'wss:': 443 }

/** Says through which proxy an address is reached; null for directly. */
export type ProxyOf = (url: URL) => URL | null

/** Nobody stands between. */
const noProxy: ProxyOf = () => null

/**
 * The proxies that the environment names, or the one that a flag names for everything. Traffic to this machine never
 * leaves it, and `NO_PROXY` lists names (with those below them), addresses, blocks, `name:port`, or `*` for all.
 */
export function proxyFromEnvironment(env: NodeJS.ProcessEnv, named?: string): ProxyOf {
  const value = (name: string) => (env[name] ?? env[name.toLowerCase()])?.trim() || undefined
  const forAll = named ?? value('ALL_PROXY')
  const secure = parseProxy(named ?? value('HTTPS_PROXY') ?? forAll)
  const plain = parseProxy(named ?? value('HTTP_PROXY') ?? forAll)
  if (!secure && !plain) return noProxy
  const exceptions = (value('NO_PROXY') ?? '').split(/[\s,]+/).filter((entry) => entry !== '')
  return (url) => {
    if (isLoopback(url.hostname) || exceptions.some((entry) => isException(entry, url))) return null
    return url.protocol === 'https:' || url.protocol === 'wss:' ? secure : plain
  }
}

/** A connection to `host` and `port` that the proxy makes for us (HTTP CONNECT). */
export function connectThroughProxy(
  proxy: URL,
  { host, port }: { readonly host: string; readonly port: number },
  { ca, signal }: { readonly ca?: string | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Socket> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const send = proxy.protocol === 'https:' ? secureRequest : request
  return new Promise((resolve, reject) => {
    const asking = send({
      host: proxy.hostname.replaceAll(/^\[|\]$/g, ''),
      port: proxy.port === '' ? (proxy.protocol === 'https:' ? 443 : 80) : Number(proxy.port),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...authorizationOf(proxy) },
      agent: false,
      timeout: connectTimeoutMs,
      ...(ca === undefined ? {} : { ca }),
      ...(signal ? { signal } : {}),
    })
    const fail = (reason: string, cause?: unknown) => {
      asking.destroy()
      reject(new Error(`the proxy ${proxy.host} ${reason}`, { cause }))
    }
    asking.once('connect', (response, socket, head) => {
      const { statusCode = 0 } = response
      if (statusCode === 407) fail('wants a user and a password (407)')
      else if (statusCode < 200 || statusCode > 299) fail(`refused the connection (${statusCode})`)
      else if (head.length > 0) fail('spoke before it was asked')
      else {
        socket.setTimeout(0)
        socket.removeAllListeners('timeout')
        resolve(socket)
      }
    })
    asking.once('response', ({ statusCode }) => fail(`does not connect (${statusCode})`))
    asking.once('timeout', () => fail('does not answer'))
    asking.once('error', (error) => fail(`cannot be reached: ${error.message}`, error))
    asking.end()
  })
}

interface SecureOptions {
  readonly ca?: string | undefined
  readonly allowSelfSigned?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** A socket to where the URL leads, through the proxy, with TLS inside when the URL asks for it. */
export async function openThroughProxy(
  proxy: URL,
  url: URL,
  { ca, allowSelfSigned, signal }: SecureOptions,
): Promise<Socket> {
  const host = url.hostname.replaceAll(/^\[|\]$/g, '')
  const port = url.port === '' ? (portOf[url.protocol] ?? 80) : Number(url.port)
  const socket = await connectThroughProxy(proxy, { host, port }, { ca, signal })
  socket.setNoDelay(true)
  if (portOf[url.protocol] === undefined) return socket
  return connectTls({
    socket,
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: allowSelfSigned !== true,
    ...(ca === undefined ? {} : { ca }),
  })
}

/** For one request of `node:http`, `node:https` or `ws` to this URL. */
export function createProxyAgent(proxy: URL, url: URL, options: SecureOptions): Agent {
  return new ProxyAgent(proxy, url, options)
}

class ProxyAgent extends Agent {
  /** Read by `node:https`, which takes no agent of another protocol. */
  readonly protocol: string
  readonly #open: () => Promise<Socket>

  constructor(proxy: URL, url: URL, options: SecureOptions) {
    super({ keepAlive: false })
    this.protocol = portOf[url.protocol] === undefined ? 'http:' : 'https:'
    this.#open = () => openThroughProxy(proxy, url, options)
  }

  override createConnection(
    _options: object,
    done?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    void this.#connect(done)
  }

  async #connect(done?: (error: Error | null, socket: Duplex) => void): Promise<void> {
    try {
      done?.(null, await this.#open())
    } catch (error) {
      // Node reads no socket beside an error.
      done?.(error instanceof Error ? error : new Error(String(error)), undefined as never)
    }
  }
}

function authorizationOf({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}

/** `http://user:password@host:port`; without a scheme it is http, as other programs take it. */
function parseProxy(text: string | undefined): URL | null {
  if (text === undefined) return null
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(full) ? new URL(full) : null
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  throw new SluiceError('SLUICE_USAGE', {
    reason: 'The proxy is not valid: it has the form http://host:port or https://host:port.',
    command: '',
  })
}

function isException(entry: string, url: URL): boolean {
  if (entry === '*') return true
  const host = url.hostname.replaceAll(/^\[|\]$/g, '').toLowerCase()
  const network = findNetwork(entry)
  if (network) {
    if (isIP(host) === 0) return false
    const list = new BlockList()
    list.addSubnet(network.address, network.bits, network.family)
    return list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
  }
  const [, name = '', port] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? []
  const ownPort = url.port === '' ? String(portOf[url.protocol] ?? 80) : url.port
  if (port !== undefined && port !== ownPort) return false
  return name !== '' && (host === name || host.endsWith(`.${name}`))
}
