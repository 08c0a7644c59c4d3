import { readFileSync } from 'node:fs'

import { composeServices } from '@apollo/composition'
import { Supergraph } from '@apollo/federation-internals'
import { lexicographicSortSchema, parse, printSchema } from 'graphql'

import { publicSupergraphOf } from '../../gateway/src/public/contract.ts'
import { schemaFolder, subgraphNames, type Generated, type SubgraphName } from './files.ts'
import { manifestOf, readOperations } from './operations.ts'
import { subgraphPath } from './print.ts'

/** Hints of the composer that are as we want them, each with its reason. All others are errors. */
const acceptedHints: Record<string, string> = {
  INCONSISTENT_DESCRIPTION:
    'A stub of another subgraph’s entity says what it adds there, not what the entity is.',
}

export const supergraphPath = `${schemaFolder}/supergraph.graphql`
export const apiPath = `${schemaFolder}/api.graphql`
export const publicPath = `${schemaFolder}/public.graphql`
export const manifestPath = `${schemaFolder}/operations/manifest.json`

export function readSubgraphs(): Record<SubgraphName, string> {
  return Object.fromEntries(
    subgraphNames.map((name) => [name, readFileSync(subgraphPath(name), 'utf8')]),
  ) as Record<SubgraphName, string>
}

/** Composes the subgraphs into one supergraph SDL. Throws every problem of the composer together. */
export function composeSupergraph(subgraphs: Readonly<Record<string, string>>): string {
  const services = Object.entries(subgraphs).map(([name, sdl]) => ({
    name,
    typeDefs: parse(sdl),
    // Where a subgraph listens is configuration: the gateway never reads this address.
    url: `http://${name}.invalid/graphql`,
  }))
  const { supergraphSdl, errors, hints } = composeServices(services)
  if (errors) throw new Error(errors.map(({ message }) => message).join('\n'))
  const open = hints.filter(({ definition }) => !acceptedHints[definition.code])
  if (open.length > 0) {
    throw new Error(open.map((hint) => `${hint.definition.code}: ${hint.message}`).join('\n'))
  }
  return `${supergraphSdl.trimEnd()}\n`
}

/** What a client of the gateway sees: no federation directive, nothing inaccessible, in a stable order. */
export function apiSdlOf(supergraphSdl: string): string {
  const api = Supergraph.build(supergraphSdl).apiSchema().toGraphQLJSSchema()
  return `${printSchema(lexicographicSortSchema(api))}\n`
}

/** The contract with partners. Throws when a public field leads to something that is not. */
export function publicSdlOf(supergraphSdl: string): string {
  const publicSupergraph = publicSupergraphOf(supergraphSdl)
  if (publicSupergraph === null) throw new Error('No field is tagged `public`.')
  return apiSdlOf(publicSupergraph)
}

/** Everything that follows from the subgraphs' SDL and the documents. */
export async function composeAll(): Promise<Generated[]> {
  const supergraphSdl = composeSupergraph(readSubgraphs())
  return [
    { path: supergraphPath, text: supergraphSdl },
    { path: apiPath, text: apiSdlOf(supergraphSdl) },
    { path: publicPath, text: publicSdlOf(supergraphSdl) },
    { path: manifestPath, text: manifestOf(await readOperations()) },
  ]
}
