import { expect, test } from 'vitest'

import {
  ReplyBudget,
  ReplySource,
  streamAllowanceBurstBytes,
  streamAllowanceBytesPerSecond,
  sustainedFactorMax,
  unansweredReplyBytesMax,
  validatedAnswers,
} from './reply-budget.ts'

const headerBytes = 28

/** Sends replies of this size until no more may go, and says how many bytes that were. */
function flood(source: ReplySource, bytes: number, nowMs: number): number {
  let sent = 0
  while (source.mayReply(bytes, nowMs)) sent += bytes + headerBytes
  return sent
}

test('many made-up sources share what a tunnel may send beyond the factor', () => {
  const budget = new ReplyBudget()
  let sent = 0
  for (let index = 0; index < 10_000; index += 1) {
    const source = new ReplySource(budget)
    source.received(40)
    for (let reply = 0; reply < 10; reply += 1) if (source.mayReply(1_000, 1_000)) sent += 1_028
  }

  // A burst of 256 KiB and a second's refill, however many sources there are.
  expect(sent).toBeLessThan(400_000)
})

test('a source that goes on answering is believed, until it falls silent', () => {
  const source = new ReplySource(new ReplyBudget())
  for (let turn = 0; turn <= validatedAnswers; turn += 1) {
    source.received(60)
    expect(source.mayReply(100, 1)).toBe(true)
  }
  expect(source.validated).toBe(true)

  const sent = flood(source, 1_200, 1)

  expect(sent).toBeGreaterThan(1_000_000)
  expect(sent).toBeLessThanOrEqual(unansweredReplyBytesMax)
})

test('who goes on blindly in the names of others gets them a bounded multiple, and a bounded rate beyond', () => {
  const budget = new ReplyBudget()
  const victims = Array.from({ length: 50 }, () => new ReplySource(budget))
  const seconds = 30
  let [received, sent] = [0, 0]
  for (let nowMs = 1_000; nowMs < 1_000 + seconds * 1_000; nowMs += 100) {
    for (const victim of victims) {
      victim.received(12)
      received += 12 + headerBytes
      sent += flood(victim, 1_400, nowMs)
    }
  }

  const beyond = streamAllowanceBurstBytes + (seconds + 1) * streamAllowanceBytesPerSecond
  expect(sent).toBeLessThan(received * sustainedFactorMax + beyond + 1_000_000)
  // Each datagram would be answered with a mebibyte otherwise.
  expect(sent / received).toBeLessThan(sustainedFactorMax * 2)
})

test('a download over QUIC loses nothing, though ten packets get one acknowledgement', () => {
  const source = new ReplySource(new ReplyBudget())
  let nowMs = 1_000
  let lost = 0
  const reply = (bytes: number): void => {
    if (!source.mayReply(bytes, nowMs)) lost += 1
  }
  // Two datagrams of the handshake, then the request.
  for (const bytes of [1_200, 1_200, 300]) {
    source.received(bytes)
    reply(1_200)
    nowMs += 20
  }
  // Slow start, with an acknowledgement for every second packet; then 100 Mbit/s for ten seconds.
  for (let packets = 2; packets <= 160; packets += 2) {
    for (let packet = 0; packet < 2; packet += 1) reply(1_252)
    source.received(40)
    nowMs += 2
  }
  for (let round = 0; round < 10_000; round += 1) {
    for (let packet = 0; packet < 10; packet += 1) reply(1_252)
    source.received(45)
    nowMs += 1
  }

  expect(lost).toBe(0)
})

test('a game that hears sixty small inputs a second may send the world each time', () => {
  const source = new ReplySource(new ReplyBudget())
  for (let tick = 0; tick < 600; tick += 1) {
    const nowMs = 1_000 + tick * 16
    source.received(48)
    expect(source.mayReply(tick < validatedAnswers ? 500 : 4_000, nowMs)).toBe(true)
  }
})
