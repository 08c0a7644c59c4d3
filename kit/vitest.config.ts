import { serverTests } from './vitest-project.ts'

export default serverTests()
