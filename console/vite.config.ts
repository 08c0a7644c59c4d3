import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Where the gateway listens while the console is developed with `vite`. */
const gatewayUrl = 'http://localhost:4000'

export default defineConfig({
  plugins: [react()],
  build: { outDir: 'dist', target: 'es2023', modulePreload: { polyfill: false } },
  server: { proxy: { '/graphql': { target: gatewayUrl, ws: true } } },
})
