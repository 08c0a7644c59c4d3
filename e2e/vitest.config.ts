import { defineConfig } from 'vitest/config'

/** Each scenario has the machine to itself: they start whole platforms. */
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    setupFiles: [`${import.meta.dirname}/story-setup.ts`],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
