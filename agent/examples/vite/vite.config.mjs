import { sluice } from './sluice-plugin.mjs'

export default {
  plugins: [sluice({ name: process.env.TUNNEL_NAME })],
  server: { host: '127.0.0.1', port: Number(process.env.PORT ?? 5173) },
}
