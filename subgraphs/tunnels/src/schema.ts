import './organization/organization.graph.ts'
import './user/user.graph.ts'
import './tunnel/tunnel.graph.ts'
import './tunnel/status.graph.ts'
import './relay/relay.graph.ts'
import './suspension/suspended-host.graph.ts'
import './request/captured-request.graph.ts'
import './request/live.graph.ts'
import './webhook/webhook.graph.ts'
import { builder } from './builder.ts'

export const schema = builder.toSubGraphSchema({
  linkUrl: 'https://specs.apollo.dev/federation/v2.9',
})
