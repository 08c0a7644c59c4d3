import { readFileSync } from 'node:fs'

import { ApolloGateway } from '@apollo/gateway'
import { parse } from 'graphql'

import { createGeneration } from '../../gateway/src/generation.ts'
import { defaultLimits } from '../../gateway/src/limits.ts'
import { publicSupergraphOf } from '../../gateway/src/public/contract.ts'
import {
  apiSdlOf,
  apiPath,
  publicPath,
  publicSdlOf,
  composeSupergraph,
  manifestPath,
  readSubgraphs,
  supergraphPath,
} from './compose.ts'
import { brokenPromises, publishedPath } from './contract.ts'
import { isCurrent, shown, type Generated } from './files.ts'
import { lintSubgraphs } from './lints.ts'
import { manifestOf, readOperations, type PublishedOperation } from './operations.ts'
import { printSubgraphs } from './print.ts'

const updateCommand = 'npm run schema'

/** Everything that is wrong with the schema, one sentence each; nothing when it is in order. Writes nothing. */
export async function checkSchema(): Promise<string[]> {
  const printed = await printSubgraphs()
  const stale = drift(printed)
  const subgraphs = readSubgraphs()
  const lints = lintSubgraphs(
    Object.fromEntries(Object.entries(subgraphs).map(([name, sdl]) => [name, parse(sdl)])),
  )
  let supergraphSdl: string
  let publicSdl: string
  try {
    supergraphSdl = composeSupergraph(subgraphs)
    publicSdl = publicSdlOf(supergraphSdl)
  } catch (error) {
    return [...stale, ...lints, `The subgraphs do not compose: ${messageOf(error)}`]
  }
  const operations = await readOperations()
  const composed = drift([
    { path: supergraphPath, text: supergraphSdl },
    { path: apiPath, text: apiSdlOf(supergraphSdl) },
    { path: publicPath, text: publicSdl },
    { path: manifestPath, text: manifestOf(operations) },
  ])
  return [
    ...stale,
    ...lints,
    ...composed,
    ...(await loads(supergraphSdl)),
    ...(await loads(publicSupergraphOf(supergraphSdl) ?? '')),
    ...checkOperations(supergraphSdl, operations),
    ...brokenPromises(readFileSync(publishedPath, 'utf8'), publicSdl),
  ]
}

function drift(files: readonly Generated[]): string[] {
  return files
    .filter((file) => !isCurrent(file))
    .map(({ path }) => `${shown(path)} is not what its sources say. Run: ${updateCommand}`)
}

/** The stock gateway refuses features that it does not know when it starts: it is asked here instead. */
async function loads(supergraphSdl: string): Promise<string[]> {
  // It would look for a cloud around it, and report to Apollo.
  process.env['APOLLO_TELEMETRY_DISABLED'] = '1'
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined }
  const gateway = new ApolloGateway({ supergraphSdl, logger: { ...quiet, error: () => undefined } })
  try {
    await gateway.load()
    return []
  } catch (error) {
    return [`@apollo/gateway does not load the supergraph: ${messageOf(error)}`]
  } finally {
    await gateway.stop()
  }
}

/** Each published operation passes the gateway's own rules, aliases included, and can be planned. */
function checkOperations(
  supergraphSdl: string,
  operations: readonly PublishedOperation[],
): string[] {
  const generation = createGeneration({ supergraphSdl, manifest: {}, limits: defaultLimits })
  return operations.flatMap(({ name, source, texts: [text = ''] }) => {
    try {
      const document = generation.documents.check({ text })
      const errors = document.errors()
      if (errors.length === 0) generation.planOf(document, name)
      return errors.map(({ message }) => `${source}: ${name}: ${message}`)
    } catch (error) {
      return [`${source}: ${name}: ${messageOf(error)}`]
    }
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
