import { MessageType } from 'graphql-ws'

/** What a client may say over graphql-transport-ws. Names and rules are those of the graphql-ws PROTOCOL.md. */
export type ClientMessage =
  | { type: MessageType.ConnectionInit; payload: Record<string, unknown> }
  | { type: MessageType.Ping; payload: unknown }
  | { type: MessageType.Pong }
  | { type: MessageType.Subscribe; id: string; payload: Record<string, unknown> }
  | { type: MessageType.Complete; id: string }

/** An id is the client's choice and is sent back with every message. */
const idCharactersMax = 256

/** The message, or null when it is none that a client may send. */
export function parseClientMessage(text: string): ClientMessage | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!isRecord(value)) return null
  const { type, id, payload } = value
  const hasId = typeof id === 'string' && id !== '' && id.length <= idCharactersMax
  switch (type) {
    case MessageType.ConnectionInit:
      if (payload === undefined || payload === null) return { type, payload: {} }
      return isRecord(payload) ? { type, payload } : null
    case MessageType.Ping:
      return payload === undefined || payload === null || isRecord(payload)
        ? { type, payload }
        : null
    case MessageType.Pong:
      return { type }
    case MessageType.Subscribe:
      return hasId && isRecord(payload) ? { type, id, payload } : null
    case MessageType.Complete:
      return hasId ? { type, id } : null
    default:
      return null
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
