import { existsSync } from 'node:fs'

import { printSubgraphSchema } from '@apollo/subgraph'
import { isSchema } from 'graphql'

import {
  rootFolder,
  schemaFolder,
  subgraphNames,
  type Generated,
  type SubgraphName,
} from './files.ts'

/** The SDL of every subgraph as its code states it today. */
export async function printSubgraphs(): Promise<Generated[]> {
  return Promise.all(subgraphNames.map(async (name) => printed(name)))
}

export function subgraphPath(name: SubgraphName): string {
  return `${schemaFolder}/subgraphs/${name}.graphql`
}

async function printed(name: SubgraphName): Promise<Generated> {
  const source = `${rootFolder}subgraphs/${name}/src/schema.ts`
  if (!existsSync(source)) throw new Error(`subgraphs/${name} has no src/schema.ts`)
  const { schema } = (await import(source)) as { schema?: unknown }
  if (!isSchema(schema)) throw new Error(`subgraphs/${name}/src/schema.ts exports no \`schema\``)
  const text = `${printSubgraphSchema(schema)}\n`
  // Pothos prints no @key, and says nothing, when its directives plugin is missing.
  if (!text.includes('@key')) throw new Error(`the SDL of ${name} has no @key`)
  return { path: subgraphPath(name), text }
}
