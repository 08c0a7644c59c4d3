import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { distanceKm, openPlaces } from './places.ts'

const text = (value: string) =>
  Buffer.concat([Buffer.from([0x40 | value.length]), Buffer.from(value)])
const uint = (type: number, value: number) =>
  Buffer.from([(type << 5) | 2, value >> 8, value & 255])
const double = (value: number) => {
  const bytes = Buffer.alloc(9, 0x68)
  bytes.writeDoubleBE(value, 1)
  return bytes
}
const map = (fields: Record<string, Buffer>) =>
  Buffer.concat([
    Buffer.from([0xe0 | Object.keys(fields).length]),
    ...Object.entries(fields).flatMap(([name, value]) => [text(name), value]),
  ])

/** A database of one record for a /8 of IPv4, as the MaxMind DB format 2.0 lays it out. */
function databaseOf(firstByte: number, record: Buffer): Buffer {
  const nodes = 8
  const tree = Buffer.alloc(nodes * 6)
  for (let node = 0; node < nodes; node += 1) {
    const next = node + 1 < nodes ? node + 1 : nodes + 16
    const isRight = ((firstByte >> (7 - node)) & 1) === 1
    tree.writeUIntBE(isRight ? nodes : next, node * 6, 3)
    tree.writeUIntBE(isRight ? next : nodes, node * 6 + 3, 3)
  }
  const metadata = map({
    binary_format_major_version: uint(5, 2),
    binary_format_minor_version: uint(5, 0),
    build_epoch: Buffer.from([1, 2, 1]),
    database_type: text('Test-City'),
    description: map({}),
    ip_version: uint(5, 4),
    languages: Buffer.from([0, 4]),
    node_count: uint(6, nodes),
    record_size: uint(5, 24),
  })
  const marker = Buffer.from('\u00AB\u00CD\u00EFMaxMind.com', 'latin1')
  return Buffer.concat([tree, Buffer.alloc(16), record, marker, metadata])
}

test('places are read from a MaxMind database; what it does not have is not known', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-places-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'city.mmdb')
  const location = map({
    latitude: double(52.5),
    longitude: double(13.4),
    accuracy_radius: uint(5, 20),
  })
  const names = (name: string) => ({ names: map({ en: text(name) }) })
  const country = map({ iso_code: text('DE'), ...names('Germany') })
  const record = map({ location, country, city: map(names('Berlin')) })
  writeFileSync(path, databaseOf(192, record))

  const { placeOf, placeNameOf } = await openPlaces(path)

  const berlin = { latitude: 52.5, longitude: 13.4, radiusKm: 20, country: 'DE' }
  expect(placeOf('192.0.2.1')).toEqual(berlin)
  expect(placeOf('10.0.0.1')).toBeNull()
  expect(placeOf('nonsense')).toBeNull()
  expect(placeNameOf('192.0.2.1')).toBe('Berlin, Germany')
  expect(placeNameOf('10.0.0.1')).toBeNull()
  expect(placeNameOf('nonsense')).toBeNull()
  const none = await openPlaces(null)
  expect([none.placeOf('192.0.2.1'), none.placeNameOf('192.0.2.1')]).toEqual([null, null])
  await expect(openPlaces(join(folder, 'missing.mmdb'))).rejects.toThrow('ENOENT')
})

test('a database of countries alone still says which country', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-places-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'country.mmdb')
  writeFileSync(path, databaseOf(192, map({ country: map({ iso_code: text('DE') }) })))

  const { placeOf, placeNameOf } = await openPlaces(path)

  expect(placeOf('192.0.2.1')).toBeNull()
  expect(placeNameOf('192.0.2.1')).toBe('DE')
})

test('a distance is what is sure: less the radius of both places', () => {
  const berlin = { latitude: 52.5, longitude: 13.4, radiusKm: 20, country: 'DE' }
  const sanFrancisco = { latitude: 37.8, longitude: -122.4, radiusKm: 30, country: 'US' }

  expect(distanceKm(berlin, sanFrancisco)).toBeGreaterThan(9_000)
  expect(distanceKm(berlin, sanFrancisco)).toBeLessThan(9_100)
  expect(distanceKm(berlin, { ...berlin, latitude: 52.6 })).toBe(0)
})
