// A server of node:http on a public address. Run it with: node node-http.mjs
import { createServer } from 'node:http'

import { listen } from '@sluice/agent'

const server = createServer((request, response) => {
  response.end(`Hello from node:http, you asked for ${request.url}\n`)
})

// The server need not listen: it is given a free port of loopback.
const tunnel = await listen(server, { name: process.env.TUNNEL_NAME })
console.log(tunnel.url)

tunnel.on('request', ({ method, path, status }) => console.error(method, path, status))
tunnel.on('closed', ({ error }) => {
  if (error) console.error(`${error.message} ${error.fix}`)
})
process.once('SIGTERM', () => void tunnel.close())
process.once('SIGINT', () => void tunnel.close())
