import { composeServices } from '@apollo/composition'
import { parse } from 'graphql'

/** The supergraph of these subgraphs. */
export function compose(
  sdl: Readonly<Record<string, string>>,
  urls: Readonly<Record<string, string>>,
): string {
  const services = Object.entries(sdl).map(([name, text]) => ({
    name,
    typeDefs: parse(text),
    url: urls[name] ?? '',
  }))
  const { supergraphSdl, errors } = composeServices(services)
  if (errors) throw new AggregateError(errors, errors.map(({ message }) => message).join('\n'))
  return supergraphSdl
}
