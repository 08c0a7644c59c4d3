import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    globalSetup: ['@sluice/kit/test-setup'],
    testTimeout: 20_000,
  },
})
