import { defineConfig } from 'vitest/config'

/** Each scenario has the machine to itself: they start whole platforms. */
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    // A scenario is one story: after a failed step the next ones say nothing.
    bail: 1,
    hookTimeout: 300_000,
  },
})
