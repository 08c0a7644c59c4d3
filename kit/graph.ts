import SchemaBuilder from '@pothos/core'
import type { ObjectRef, SchemaTypes } from '@pothos/core'
import DirectivePlugin from '@pothos/plugin-directives'
import FederationPlugin from '@pothos/plugin-federation'
import { GraphQLScalarType, Kind } from 'graphql'

import type { Page } from './keyset.ts'

/** What every subgraph's builder knows besides its own types. */
export interface GraphTypes<Context extends object> {
  Context: Context
  DefaultFieldNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date | string }
  }
}

/** A Pothos builder with federation, `DateTime` and a shareable `PageInfo`. Fields are non-null unless they say so. */
export function createGraphBuilder<Context extends object>() {
  const builder = new SchemaBuilder<GraphTypes<Context>>({
    // The directives plugin must be there: without it the federation plugin prints no @key, silently.
    plugins: [DirectivePlugin, FederationPlugin],
    defaultFieldNullability: false,
  })
  builder.addScalarType('DateTime', dateTime)
  builder.objectRef<Page<unknown>['pageInfo']>('PageInfo').implement({
    description: 'Where a page of a list stands.',
    shareable: true,
    tag: 'public',
    fields: (t) => ({
      hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether more rows follow.' }),
      hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
        description: 'Whether the page was asked with a cursor.',
      }),
      startCursor: t.exposeString('startCursor', {
        nullable: true,
        description: 'Cursor of the first row.',
      }),
      endCursor: t.exposeString('endCursor', {
        nullable: true,
        description: 'Cursor of the last row: pass it as `after`.',
      }),
    }),
  })
  return builder
}

type Builder<Types extends SchemaTypes> = PothosSchemaTypes.SchemaBuilder<Types>

/** What a connection field costs: its rows are as many as `first` says (the IBM cost specification's `@listSize`). */
export const pageSize = {
  slicingArguments: ['first'],
  sizedFields: ['edges', 'nodes'],
  requireOneSlicingArgument: false,
}

/**
 * Declares `<Name>Connection` and `<Name>Edge` for a list that is paged by keyset; resolve it with a `Page`. With the tag
 * `public` partners see it, too.
 */
export function connectionType<Types extends SchemaTypes, Node>(
  builder: Builder<Types>,
  name: string,
  node: ObjectRef<Types, Node>,
  options: { tag?: 'public' } = {},
): ObjectRef<Types, Page<Node>> {
  // Pothos computes field types from the builder's own types, which are still open here.
  const open = builder as unknown as PothosSchemaTypes.SchemaBuilder<
    PothosSchemaTypes.ExtendDefaultTypes<GraphTypes<object>>
  >
  const nodeRef = node as unknown as ObjectRef<
    PothosSchemaTypes.ExtendDefaultTypes<GraphTypes<object>>,
    Node
  >
  const edge = open.objectRef<Page<Node>['edges'][number]>(`${name}Edge`).implement({
    ...options,
    description: `One ${name} of a page.`,
    fields: (t) => ({
      cursor: t.exposeString('cursor', {
        description: 'Pass it as `after` to continue behind this row.',
      }),
      node: t.field({
        type: nodeRef,
        description: 'The row.',
        resolve: (one) => one.node as never,
      }),
    }),
  })
  const connection = open.objectRef<Page<Node>>(`${name}Connection`).implement({
    ...options,
    description: `A page of ${name} rows, newest first.`,
    fields: (t) => ({
      edges: t.field({
        type: [edge],
        description: 'The rows with their cursors.',
        resolve: (page) => page.edges as never,
      }),
      nodes: t.field({
        type: [nodeRef],
        description: 'The rows.',
        resolve: (page) => page.nodes as never,
      }),
      pageInfo: t.field({
        type: 'PageInfo' as never,
        description: 'Where the page stands.',
        resolve: (page) => page.pageInfo as never,
      }),
    }),
  })
  return connection as unknown as ObjectRef<Types, Page<Node>>
}

const dateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'An instant as ISO 8601 in UTC with milliseconds.',
  serialize: (value) => {
    const date = value instanceof Date ? value : new Date(String(value))
    return date.toISOString()
  },
  parseValue: (value) => parseDate(value),
  parseLiteral: (node) => parseDate(node.kind === Kind.STRING ? node.value : null),
})

function parseDate(value: unknown): Date {
  const date = typeof value === 'string' ? new Date(value) : new Date(Number.NaN)
  if (Number.isNaN(date.getTime())) throw new TypeError('DateTime is not an ISO 8601 instant')
  return date
}
