import { defineConfig } from 'vitest/config'

/** Pages are tested as they are built, in a browser: nothing here compiles components. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: [`${import.meta.dirname}/test/build-setup.ts`],
    testTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 120_000,
  },
})
