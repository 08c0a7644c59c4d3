import { expect, test } from 'vitest'

import { PrefaceReader, writePreface } from './preface.ts'

const stated = { mode: 'http', from: 'relay-a', to: 'relay-b' } as const
const nowMs = 1_800_000_000_000

function lineOf(secret = 'secret', fields: object = stated, atMs = nowMs): string {
  return writePreface(secret, fields as typeof stated, atMs)
    .toString('latin1')
    .trimEnd()
}

function readerAt(atMs = nowMs): PrefaceReader {
  return new PrefaceReader('secret', 'relay-b', () => atMs)
}

test('a preface is believed once', () => {
  const reader = readerAt()
  const line = lineOf()

  expect(reader.read(line)).toMatchObject(stated)
  expect(reader.read(line)).toBeUndefined()
  expect(reader.read(lineOf())).toMatchObject(stated)
})

test('a preface under another secret, for another relay, or of another time opens nothing', () => {
  expect(readerAt().read(lineOf('other'))).toBeUndefined()
  expect(readerAt().read(lineOf('secret', { ...stated, to: 'relay-c' }))).toBeUndefined()
  expect(readerAt(nowMs + 31_000).read(lineOf())).toBeUndefined()
  expect(readerAt(nowMs - 31_000).read(lineOf())).toBeUndefined()
  expect(readerAt(nowMs + 29_000).read(lineOf())).toMatchObject(stated)
})

test('nothing of a preface can be changed', () => {
  const [protocol, fields = '', proof = ''] = lineOf().split(' ')
  const forged = Buffer.from(
    Buffer.from(fields, 'base64url').toString().replace('relay-a', 'relay-x'),
  ).toString('base64url')

  expect(readerAt().read(`${protocol} ${forged} ${proof}`)).toBeUndefined()
  expect(readerAt().read(`${protocol} ${fields} ${proof.slice(1)}`)).toBeUndefined()
  expect(readerAt().read(`${protocol} ${fields} ${proof} more`)).toBeUndefined()
  expect(readerAt().read('GET / HTTP/1.1')).toBeUndefined()
  expect(readerAt().read('')).toBeUndefined()
})

test('a proof of something that is no preface opens nothing', () => {
  expect(readerAt().read(lineOf('secret', { ...stated, mode: 'shell' }))).toBeUndefined()
  expect(readerAt().read(lineOf('secret', { ...stated, to: 5 }))).toBeUndefined()
})
