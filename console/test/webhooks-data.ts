interface FixtureAttempt {
  at: string
  durationMs: number
  status: number | null
  error: string | null
  response: string
}

interface FixtureDelivery {
  id: string
  messageId: string
  event: string
  state: string
  payload: string
  createdAt: string
  nextAttemptAt: string | null
  attempts: FixtureAttempt[]
}

export interface FixtureEndpoint {
  id: string
  url: string
  description: string
  events: string[]
  capturedPerMinuteMax: number
  isEnabled: boolean
  disabledReason: string | null
  failingSince: string | null
  createdAt: string
  sent: FixtureDelivery[]
}

/** Seconds ago as a time. */
type Ago = (seconds: number) => string

export function deliveryOf(ago: Ago, id: string, event: string, state: string): FixtureDelivery {
  const failed = { status: 503, error: null, response: 'try later' }
  const arrived = { status: 204, error: null, response: '' }
  return {
    id,
    messageId: `msg_${id}`,
    event,
    state,
    payload: JSON.stringify({ type: event, timestamp: ago(60), data: { name: 'calm-otter' } }),
    createdAt: ago(60),
    nextAttemptAt: state === 'PENDING' ? ago(-30) : null,
    attempts:
      state === 'PENDING'
        ? []
        : [{ at: ago(59), durationMs: 41, ...(state === 'FAILED' ? failed : arrived) }],
  }
}

export function filledEndpoints(ago: Ago): FixtureEndpoint[] {
  return [
    {
      id: 'w1',
      url: 'https://hooks.example.com/sluice',
      description: 'pages the people on call',
      events: ['tunnel.online', 'tunnel.offline'],
      capturedPerMinuteMax: 60,
      isEnabled: true,
      disabledReason: null,
      failingSince: ago(3_600),
      createdAt: ago(86_400),
      sent: [
        deliveryOf(ago, 'm2', 'tunnel.offline', 'FAILED'),
        deliveryOf(ago, 'm1', 'tunnel.online', 'DELIVERED'),
      ],
    },
    {
      id: 'w2',
      url: 'https://old.example.com/',
      description: '',
      events: ['domain.verified'],
      capturedPerMinuteMax: 60,
      isEnabled: false,
      disabledReason: 'GONE',
      failingSince: null,
      createdAt: ago(86_400 * 9),
      sent: [],
    },
  ]
}
