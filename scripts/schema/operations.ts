import { existsSync, globSync, readFileSync } from 'node:fs'

import {
  Kind,
  parse,
  print,
  visit,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
} from 'graphql'

import { canonicalText, documentIdOf, type Manifest } from '../../gateway/src/document-id.ts'
import { schemaFolder, shown } from './files.ts'

/** One operation that a program of ours sends, with every text in which it may arrive. */
export interface PublishedOperation {
  readonly name: string
  /** Where it is written, for messages. */
  readonly source: string
  readonly document: DocumentNode
  readonly texts: readonly string[]
}

/** The documents of the programs written in TypeScript, and of the console. */
export async function readOperations(): Promise<PublishedOperation[]> {
  const modules = globSync(`${schemaFolder}/operations/*.ts`).toSorted()
  const constants = await Promise.all(modules.map(async (path) => readModule(path)))
  const operations = [...constants.flat(), ...readConsole()]
  const names = new Set<string>()
  for (const { name, source } of operations) {
    if (names.has(name)) throw new Error(`${source}: the name ${name} is used twice`)
    names.add(name)
  }
  return operations
}

/**
 * The manifest: SHA-256 of a text → name and text. Each operation is there as it is written, as graphql-js prints it
 * (what client libraries send), and in its canonical form, under which the gateway finds any other layout.
 */
export function manifestOf(operations: readonly PublishedOperation[]): string {
  const entries = operations.flatMap(({ name, texts }) =>
    texts.map((text) => [documentIdOf(text), { name, text }] as const),
  )
  const manifest: Manifest = Object.fromEntries(
    entries.toSorted(([one, { name }], [other, entry]) =>
      name === entry.name ? (one < other ? -1 : 1) : name < entry.name ? -1 : 1,
    ),
  )
  return `${JSON.stringify(manifest, null, 2)}\n`
}

async function readModule(path: string): Promise<PublishedOperation[]> {
  const exported = (await import(path)) as Record<string, unknown>
  return Object.values(exported)
    .flatMap((value) => (typeof value === 'string' ? [value] : Object.values(value as object)))
    .filter((value) => typeof value === 'string')
    .flatMap((text) => operationsOf(text, shown(path), []))
}

/** A console file may hold several operations and use the fragments of any other file, as codegen reads them. */
function readConsole(): PublishedOperation[] {
  const folder = `${schemaFolder}/operations/console`
  if (!existsSync(folder)) return []
  const files = globSync(`${folder}/**/*.graphql`)
    .toSorted()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
  const fragments = files.flatMap(({ text }) => fragmentsOf(parse(text)))
  return files.flatMap(({ path, text }) => operationsOf(text, shown(path), fragments))
}

function operationsOf(
  text: string,
  source: string,
  fragments: readonly FragmentDefinitionNode[],
): PublishedOperation[] {
  const file = parse(text)
  const operations = file.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION)
  const known = [...fragmentsOf(file), ...fragments]
  return operations.map((operation) => {
    if (!operation.name) throw new Error(`${source}: an operation has no name`)
    const document: DocumentNode = {
      kind: Kind.DOCUMENT,
      definitions: [operation, ...usedBy(operation, known, source)],
    }
    const whole = operations.length === 1 && file.definitions.length === document.definitions.length
    const texts = [print(document), canonicalText(document)]
    if (whole) texts.push(text, text.trim())
    return { name: operation.name.value, source, document, texts: [...new Set(texts)] }
  })
}

function fragmentsOf(document: DocumentNode): FragmentDefinitionNode[] {
  return document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION)
}

/** The fragments an operation needs, directly or through others, in the order of their first use. */
function usedBy(
  operation: OperationDefinitionNode,
  known: readonly FragmentDefinitionNode[],
  source: string,
): FragmentDefinitionNode[] {
  const used = new Map<string, FragmentDefinitionNode>()
  const collect = (node: OperationDefinitionNode | FragmentDefinitionNode) => {
    visit(node, {
      FragmentSpread({ name: { value: name } }) {
        if (used.has(name)) return
        const fragment = known.find((one) => one.name.value === name)
        if (!fragment) throw new Error(`${source}: there is no fragment ${name}`)
        used.set(name, fragment)
        collect(fragment)
      },
    })
  }
  collect(operation)
  return [...used.values()]
}
