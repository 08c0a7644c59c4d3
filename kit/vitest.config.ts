import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['*.test.ts'], globalSetup: ['./test-setup.ts'], testTimeout: 20_000 },
})
