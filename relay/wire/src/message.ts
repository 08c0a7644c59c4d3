import { protocolVersions, windowBytesMax } from './limits.ts'
import { ProtocolViolation } from './violation.ts'

export interface Hello {
  readonly versions: readonly number[]
  readonly features: readonly string[]
  readonly agentToken: string
  readonly agentVersion: string
  readonly streamWindowBytes: number
  readonly sessionWindowBytes: number
}

export interface Welcome {
  readonly version: number
  readonly features: readonly string[]
  readonly sessionId: string
  readonly relayId: string
  /** How long the agent token in force is still valid: a span, because clocks differ. */
  readonly expiresInMs: number
  readonly endpointHosts: readonly string[]
  readonly streamWindowBytes: number
  readonly sessionWindowBytes: number
}

export type Details = Readonly<Record<string, string | number | boolean>>

/** A code of the catalogue with its details; the protocol carries it as it is. */
export interface Refusal {
  readonly code: string
  readonly details: Details
}

export interface Policy {
  readonly expiresInMs: number
  readonly endpointHosts: readonly string[]
}

export interface GoAway {
  readonly reason: string
  readonly graceMs: number
}

/** The highest version both sides speak, if there is one. */
export function sharedVersion(
  versions: readonly number[],
  ours: readonly number[] = protocolVersions,
): number | undefined {
  return ours.filter((version) => versions.includes(version)).toSorted((a, b) => b - a)[0]
}

export function encodeMessage(message: object): Buffer {
  return Buffer.from(JSON.stringify(message))
}

export function encodeCredit(bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(4)
  payload.writeUInt32BE(bytes)
  return payload
}

export function parseCredit(payload: Buffer): number {
  if (payload.length !== 4) throw new ProtocolViolation('a CREDIT of wrong length')
  return payload.readUInt32BE(0)
}

export function parseHello(payload: Buffer): Hello {
  const fields = parseObject(payload)
  return {
    versions: listOf(fields, 'versions', 'number', 16),
    features: listOf(fields, 'features', 'string', 64),
    agentToken: text(fields, 'agentToken', 32_768),
    agentVersion: text(fields, 'agentVersion', 64),
    ...windows(fields),
  }
}

export function parseWelcome(payload: Buffer): Welcome {
  const fields = parseObject(payload)
  return {
    version: whole(fields, 'version'),
    features: listOf(fields, 'features', 'string', 64),
    sessionId: text(fields, 'sessionId', 128),
    relayId: text(fields, 'relayId', 128),
    expiresInMs: whole(fields, 'expiresInMs'),
    endpointHosts: listOf(fields, 'endpointHosts', 'string', 64),
    ...windows(fields),
  }
}

/** Reads REFUSE and RESET. Details may come from a peer that is not trusted: only short plain values are kept. */
export function parseRefusal(payload: Buffer): Refusal {
  if (payload.length === 0) return { code: '', details: {} }
  const fields = parseObject(payload)
  const details: Record<string, string | number | boolean> = Object.create(null)
  const given = fields.details
  for (const [name, value] of Object.entries(isObject(given) ? given : {}).slice(0, 8)) {
    if (!/^[a-zA-Z]{1,32}$/.test(name)) continue
    if (typeof value === 'string') details[name] = value.slice(0, 300)
    if (typeof value === 'number' || typeof value === 'boolean') details[name] = value
  }
  return { code: text(fields, 'code', 64), details: { ...details } }
}

export function parseAgentToken(payload: Buffer): string {
  return text(parseObject(payload), 'agentToken', 32_768)
}

export function parsePolicy(payload: Buffer): Policy {
  const fields = parseObject(payload)
  return {
    expiresInMs: whole(fields, 'expiresInMs'),
    endpointHosts: listOf(fields, 'endpointHosts', 'string', 64),
  }
}

export function parseGoAway(payload: Buffer): GoAway {
  const fields = parseObject(payload)
  return { reason: text(fields, 'reason', 200), graceMs: whole(fields, 'graceMs') }
}

type Fields = Record<string, unknown>

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseObject(payload: Buffer): Fields {
  let value: unknown
  try {
    value = JSON.parse(payload.toString('utf8'))
  } catch (error) {
    throw new ProtocolViolation('a message that is not JSON', { cause: error })
  }
  if (!isObject(value)) throw new ProtocolViolation('a message that is not an object')
  return value
}

function text(fields: Fields, name: string, lengthMax: number): string {
  const value = fields[name]
  if (typeof value === 'string' && value.length <= lengthMax) return value
  throw new ProtocolViolation(`a message without a fitting ${name}`)
}

function whole(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new ProtocolViolation(`a message without a fitting ${name}`)
}

function windows(fields: Fields) {
  return {
    streamWindowBytes: Math.min(whole(fields, 'streamWindowBytes'), windowBytesMax),
    sessionWindowBytes: Math.min(whole(fields, 'sessionWindowBytes'), windowBytesMax),
  }
}

function listOf(fields: Fields, name: string, kind: 'string', lengthMax: number): string[]
function listOf(fields: Fields, name: string, kind: 'number', lengthMax: number): number[]
function listOf(fields: Fields, name: string, kind: 'string' | 'number', lengthMax: number) {
  const value = fields[name]
  if (
    Array.isArray(value) &&
    value.length <= lengthMax &&
    value.every((one) => typeof one === kind)
  ) {
    return value
  }
  throw new ProtocolViolation(`a message without a fitting ${name}`)
}
