import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'

import { unusedPort } from '@sluice/kit/unused-port'

import { childrenOf, keep } from './process.ts'

export interface Nginx {
  readonly child: ChildProcess
  readonly originPort: number
  readonly proxyPort: number
  /** Worker processes of the reverse proxy: what its CPU figures are of. */
  readonly proxyPids: readonly number[]
  readonly children: readonly ChildProcess[]
}

export const fileBytes = 256 * 1_048_576

/** Where nginx is; installs it when that needs no asking. */
function findNginx(): string {
  const found = () =>
    // Debian keeps it where only root looks.
    spawnSync('sh', ['-c', 'PATH=$PATH:/usr/sbin command -v nginx'], {
      encoding: 'utf8',
    }).stdout.trim()
  if (found() !== '') return found()
  if (process.getuid?.() === 0) {
    process.stderr.write('installing nginx with apt-get\n')
    spawnSync('sh', ['-c', 'apt-get update -qq && apt-get install -y -qq nginx-light'], {
      stdio: 'ignore',
    })
    if (found() !== '') return found()
  }
  throw new Error(
    'This benchmark compares with nginx, which is not on the path: install it, for example with `apt-get install nginx-light`.',
  )
}

/** Starts an origin and a plain reverse proxy before it, one worker each, all files under `folder`. */
export async function startNginx(folder: string, sinkPort: number): Promise<Nginx> {
  const binary = findNginx()
  mkdirSync(join(folder, 'files'), { recursive: true })
  const file = join(folder, 'files', 'large')
  writeFileSync(file, '')
  truncateSync(file, fileBytes)
  const [originPort, proxyPort] = [await unusedPort(), await unusedPort()]
  const origin = start(binary, folder, 'origin', originConfig(folder, originPort, sinkPort))
  const proxy = start(binary, folder, 'proxy', proxyConfig(proxyPort, originPort, sinkPort))
  await Promise.all([untilOpen(originPort), untilOpen(proxyPort)])
  const proxyPids = childrenOf(proxy.pid ?? 0)
  return { child: proxy, originPort, proxyPort, proxyPids, children: [origin, proxy] }
}

export interface Proxy {
  readonly child: ChildProcess
  readonly port: number
  readonly pids: readonly number[]
}

/** A reverse proxy that speaks HTTP/2 over TLS to visitors, and HTTP/1.1 to the origin. */
export async function startHttp2Proxy(
  folder: string,
  originPort: number,
  certificate: { readonly certPath: string; readonly keyPath: string },
): Promise<Proxy> {
  const port = await unusedPort()
  const config = http2Config(port, originPort, certificate)
  const child = start(findNginx(), folder, 'http2', config)
  await untilOpen(port)
  return { child, port, pids: childrenOf(child.pid ?? 0) }
}

/** A reverse proxy that passes upgrades on. */
export async function startWebSocketProxy(folder: string, upstreamPort: number): Promise<Proxy> {
  const port = await unusedPort()
  const child = start(findNginx(), folder, 'websocket', webSocketConfig(port, upstreamPort))
  await untilOpen(port)
  return { child, port, pids: childrenOf(child.pid ?? 0) }
}

function start(binary: string, folder: string, name: string, config: string): ChildProcess {
  const prefix = join(folder, name)
  mkdirSync(prefix, { recursive: true })
  const path = join(prefix, 'nginx.conf')
  writeFileSync(path, config)
  return keep(
    spawn(binary, ['-p', prefix, '-c', path, '-e', join(prefix, 'error.log')], {
      stdio: 'inherit',
    }),
  )
}

const common = `
daemon off;
master_process on;
worker_processes 1;
pid nginx.pid;
events { worker_connections 4096; }
`
const httpCommon = `
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  client_max_body_size 0;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  sendfile on;
  tcp_nodelay on;
`

function originConfig(folder: string, port: number, sinkPort: number): string {
  return `${common}
http { ${httpCommon}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /small { default_type text/plain; return 200 "Hello from the local service. This is a small response body.\\n"; }
    location = /large { root ${join(folder, 'files')}; }
    location = /sink { proxy_pass http://127.0.0.1:${sinkPort}; proxy_http_version 1.1; proxy_request_buffering off; }
  }
}
`
}

function proxyConfig(port: number, originPort: number, sinkPort: number): string {
  const forward = `
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off;
      proxy_request_buffering off;
`
  return `${common}
http { ${httpCommon}
  upstream origin { server 127.0.0.1:${originPort}; keepalive 256; keepalive_requests 1000000000; }
  upstream sink { server 127.0.0.1:${sinkPort}; keepalive 16; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://origin; ${forward} }
    location = /sink { proxy_pass http://sink; ${forward} }
  }
}
`
}

function http2Config(
  port: number,
  originPort: number,
  { certPath, keyPath }: { readonly certPath: string; readonly keyPath: string },
): string {
  return `${common}
http { ${httpCommon}
  upstream origin { server 127.0.0.1:${originPort}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} ssl http2 backlog=4096;
    ssl_certificate ${certPath};
    ssl_certificate_key ${keyPath};
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off;
    }
  }
}
`
}

function webSocketConfig(port: number, upstreamPort: number): string {
  return `${common}
http { ${httpCommon}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://127.0.0.1:${upstreamPort};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_read_timeout 1h;
    }
  }
}
`
}

export async function untilOpen(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`nothing listens on port ${port}`)
}
