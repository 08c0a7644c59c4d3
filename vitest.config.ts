import { defineConfig } from 'vitest/config'

/** The repository's own tests: boundaries, the catalogue's pages. Packages have theirs. */
export default defineConfig({ test: { include: ['*.test.ts', 'scripts/**/*.test.ts'] } })
