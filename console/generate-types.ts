import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { preset } from '@graphql-codegen/client-preset'
import { codegen } from '@graphql-codegen/core'
import { buildASTSchema, parse } from 'graphql'

/** Writes the types of the console's documents, from the API schema of the supergraph. The result is committed. */

const folder = fileURLToPath(new URL('.', import.meta.url))
const documentsFolder = join(folder, '../schema/operations/console')

const schema = parse(readFileSync(join(folder, '../schema/api.graphql'), 'utf8'))
const schemaAst = buildASTSchema(schema)
const documents = globSync('*.graphql', { cwd: documentsFolder })
  .toSorted()
  .map((name) => {
    const location = join(documentsFolder, name)
    const rawSDL = readFileSync(location, 'utf8').trimEnd()
    return { location, rawSDL, document: parse(rawSDL) }
  })

const outputs = await preset.buildGeneratesSection({
  baseOutputDir: join(folder, 'src/gql/'),
  schema,
  schemaAst,
  documents,
  presetConfig: { fragmentMasking: false },
  config: {
    useTypeImports: true,
    enumsAsTypes: true,
    skipTypename: true,
    strictScalars: true,
    scalars: { DateTime: 'string' },
  },
  plugins: [],
  pluginMap: {},
})
for (const output of outputs) {
  mkdirSync(dirname(output.filename), { recursive: true })
  writeFileSync(output.filename, await codegen({ ...output, schemaAst }))
}
process.stdout.write(`${outputs.length} files in src/gql\n`)
