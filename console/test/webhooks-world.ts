import { ago, failure } from './data.ts'
import { pageOf, type Page } from './page-of.ts'
import { deliveryOf, filledEndpoints, type FixtureEndpoint } from './webhooks-data.ts'
import type { Platform } from './world.ts'

interface EndpointInput {
  url?: string | null
  description?: string | null
  events?: string[] | null
  capturedPerMinuteMax?: number | null
  isEnabled?: boolean | null
}

const shownOf = (endpoint: FixtureEndpoint) => ({
  ...endpoint,
  deliveries: (page: Page) => pageOf(endpoint.sent, page),
})

/** What the graph says of the organization's webhooks. */
export function webhookFieldsOf({ data, down }: Platform) {
  return {
    webhookEndpoints: () => {
      if (down.has('tunnels')) throw failure('SLUICE_SUBGRAPH_UNAVAILABLE')
      return data.webhookEndpoints.map(shownOf)
    },
  }
}

export function webhookRootOf(world: Platform) {
  const { data } = world
  const endpointBy = (id: string) => {
    const found = data.webhookEndpoints.find((one) => one.id === id)
    if (!found) throw failure('SLUICE_WEBHOOK_ENDPOINT_NOT_FOUND')
    return found
  }
  return {
    webhookEndpoint: async ({ id }: { id: string }) => {
      await world.gate
      return shownOf(endpointBy(id))
    },
    createWebhookEndpoint: ({ input }: { input: EndpointInput }) => {
      if (input.url?.startsWith('http:')) {
        throw failure('SLUICE_ADDRESS_INVALID', { reason: 'it does not begin with https://' })
      }
      const [first] = filledEndpoints(ago)
      const id = `w${data.webhookEndpoints.length + 1}`
      const made = { ...first, ...input, id, failingSince: null, sent: [] } as FixtureEndpoint
      data.webhookEndpoints.push(made)
      return {
        endpoint: shownOf(made),
        secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDwNk3T0oH9s8=',
      }
    },
    updateWebhookEndpoint: ({ id, input }: { id: string; input: EndpointInput }) => {
      const endpoint = Object.assign(endpointBy(id), input)
      if (input.isEnabled) Object.assign(endpoint, { disabledReason: null, failingSince: null })
      return shownOf(endpoint)
    },
    deleteWebhookEndpoint: ({ id }: { id: string }) => {
      data.webhookEndpoints.splice(data.webhookEndpoints.indexOf(endpointBy(id)), 1)
      return id
    },
    rotateWebhookSecret: ({ id }: { id: string }) => ({
      endpoint: shownOf(endpointBy(id)),
      secret: 'whsec_bm90IHJlYWxseSBhIHNlY3JldCwgYnV0IGxvbmchIQ==',
    }),
    sendTestWebhook: ({ id }: { id: string }) => {
      const made = deliveryOf(ago, `t${Date.now()}`, 'webhook.test', 'DELIVERED')
      endpointBy(id).sent.unshift(made)
      return made
    },
    replayWebhookDelivery: ({ id }: { id: string }) => {
      const found = data.webhookEndpoints.flatMap(({ sent }) => sent).find((one) => one.id === id)
      if (!found) throw failure('SLUICE_WEBHOOK_DELIVERY_NOT_FOUND')
      return Object.assign(found, deliveryOf(ago, id, found.event, 'DELIVERED'))
    },
    replayWebhookDeliveries: ({ endpointId }: { endpointId: string }) => {
      const failed = endpointBy(endpointId).sent.filter(({ state }) => state === 'FAILED')
      for (const one of failed) Object.assign(one, deliveryOf(ago, one.id, one.event, 'DELIVERED'))
      return failed.length
    },
  }
}
