import { readFileSync } from 'node:fs'

import { checkSchema } from './schema/check.ts'
import { composeAll, publicPath } from './schema/compose.ts'
import { publishedPath } from './schema/contract.ts'
import { shown, writeGenerated } from './schema/files.ts'
import { printSubgraphs } from './schema/print.ts'

const usage = `npm run schema            print, then compose: writes every generated file of schema/
npm run schema print      the SDL of each subgraph, from its code
npm run schema compose    supergraph, API schema and the manifest of documents, from the SDL
npm run schema check      writes nothing; fails with everything that is wrong
npm run schema publish    promises the contract with partners as it is now: from then on no change may break it`

const commands: Record<string, () => Promise<void>> = {
  print: async () => report(writeGenerated(await printSubgraphs())),
  compose: async () => report(writeGenerated(await composeAll())),
  async check() {
    const problems = await checkSchema()
    for (const problem of problems) console.error(problem)
    if (problems.length > 0) process.exitCode = 1
    else console.log('The schema is in order.')
  },
  async publish() {
    report(writeGenerated([{ path: publishedPath, text: readFileSync(publicPath, 'utf8') }]))
  },
  async all() {
    const printed = writeGenerated(await printSubgraphs())
    report([...printed, ...writeGenerated(await composeAll())])
  },
}

const command = commands[process.argv[2] ?? 'all']
if (command) {
  await command().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
} else {
  console.error(usage)
  process.exitCode = 2
}

function report(written: readonly string[]): void {
  for (const path of written) console.log(`wrote ${shown(path)}`)
  if (written.length === 0) console.log('Everything was current.')
}
