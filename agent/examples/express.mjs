// An Express application on a public address. Run it with: node express.mjs
import { once } from 'node:events'

import { listen } from '@sluice/agent'
import express from 'express'

const app = express()
// Visitors reach Express through the agent on loopback: this is how it learns who they are.
app.set('trust proxy', 'loopback')
app.get('/', (request, response) => {
  response.send(`Hello from Express, visitor from ${request.ip}\n`)
})

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1')
await once(server, 'listening')
const tunnel = await listen(server, { name: process.env.TUNNEL_NAME })
console.log(tunnel.url)

const stop = async () => {
  await tunnel.close()
  server.close()
}
process.once('SIGTERM', () => void stop())
process.once('SIGINT', () => void stop())
