import type { CodegenConfig } from '@graphql-codegen/cli'

/** Types of the console's documents, from the API schema of the supergraph. The result is committed. */
const config: CodegenConfig = {
  schema: '../schema/api.graphql',
  documents: '../schema/operations/console/*.graphql',
  ignoreNoDocuments: false,
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        skipTypename: true,
        strictScalars: true,
        scalars: { DateTime: 'string' },
      },
    },
  },
}

export default config
