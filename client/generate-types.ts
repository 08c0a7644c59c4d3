import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { preset } from '@graphql-codegen/client-preset'
import { codegen } from '@graphql-codegen/core'
import { buildASTSchema, parse } from 'graphql'

/** Writes the types of the operations from the contract with partners. The result is committed; `--check` only compares. */

const folder = fileURLToPath(new URL('.', import.meta.url))
const operationsFolder = join(folder, 'src/operations')
const generatedFile = join(folder, 'src/graphql.ts')

const schema = parse(readFileSync(join(folder, '../schema/public.graphql'), 'utf8'))
const schemaAst = buildASTSchema(schema)
const documents = globSync('*.graphql', { cwd: operationsFolder })
  .toSorted()
  .map((name) => {
    const location = join(operationsFolder, name)
    const rawSDL = readFileSync(location, 'utf8').trimEnd()
    return { location, rawSDL, document: parse(rawSDL) }
  })

const outputs = await preset.buildGeneratesSection({
  baseOutputDir: join(folder, 'src/'),
  schema,
  schemaAst,
  documents,
  presetConfig: { fragmentMasking: false },
  config: {
    // Texts, so that whoever uses the client needs no GraphQL library.
    documentMode: 'string',
    useTypeImports: true,
    enumsAsTypes: true,
    skipTypename: true,
    strictScalars: true,
    scalars: { DateTime: 'string' },
  },
  plugins: [],
  pluginMap: {},
})
const types = outputs.find(({ filename }) => filename.endsWith('graphql.ts'))
if (!types) throw new Error('the preset writes another file than it did')
const text = await codegen({ ...types, schemaAst })
if (!process.argv.includes('--check')) writeFileSync(generatedFile, text)
else if (readFileSync(generatedFile, 'utf8') !== text) {
  process.stderr.write(
    'client/src/graphql.ts is not what the contract says. Run: npm run codegen -w client\n',
  )
  process.exitCode = 1
}
