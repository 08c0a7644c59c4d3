import '@sluice/kit/vitest-project'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    // The protocol is a package of its own, with its own run.
    exclude: ['**/node_modules/**', 'wire/**'],
    globalSetup: [`${import.meta.dirname}/src/testing/redis-setup.ts`],
    testTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
  },
})
