import './domain/custom-domain.graph.ts'
import './certificate/certificate.graph.ts'
import { builder } from './builder.ts'

export const schema = builder.toSubGraphSchema({
  linkUrl: 'https://specs.apollo.dev/federation/v2.9',
})
