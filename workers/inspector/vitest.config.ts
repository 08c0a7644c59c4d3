import { serverTests } from '@sluice/kit/vitest-project'

export default serverTests()
