import { serverTests } from '@sluice/kit/vitest-project'
import { mergeConfig } from 'vitest/config'

// A whole platform per file is much for a small machine: one file after the other, in one process that keeps what it has loaded.
export default mergeConfig(serverTests(), {
  test: { isolate: false, fileParallelism: false },
})
