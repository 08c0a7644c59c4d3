import { readFile } from 'node:fs/promises'

import { Reader, type CityResponse } from 'mmdb-lib'

/** Roughly where an address is: as coarse as the database says it. */
export interface Place {
  readonly latitude: number
  readonly longitude: number
  /** Within so many kilometres, at best. */
  readonly radiusKm: number
  /** A country code, or empty. */
  readonly country: string
}

/** Says where an address is, or null when it cannot. */
type PlaceOf = (ip: string) => Place | null

/** The same for people to read, `Berlin, Germany`; also of a database that knows countries alone. */
type PlaceNameOf = (ip: string) => string | null

export interface Places {
  readonly placeOf: PlaceOf
  readonly placeNameOf: PlaceNameOf
}

const radiusKmDefault = 100

/** Reads a MaxMind database (MMDB) of cities. Without one nothing is known of places. */
export async function openPlaces(path: string | null): Promise<Places> {
  if (path === null) return { placeOf: () => null, placeNameOf: () => null }
  const reader = new Reader<CityResponse>(await readFile(path))
  const recordOf = (ip: string): CityResponse | null => {
    try {
      return reader.get(ip)
    } catch {
      // Not an address, or a broken record: then nothing is known.
      return null
    }
  }
  return {
    placeOf(ip) {
      const found = recordOf(ip)
      const { latitude, longitude, accuracy_radius: radiusKm } = found?.location ?? {}
      if (latitude === undefined || longitude === undefined) return null
      const country = found?.country?.iso_code ?? ''
      return { latitude, longitude, radiusKm: radiusKm ?? radiusKmDefault, country }
    },
    placeNameOf(ip) {
      const { city, country } = recordOf(ip) ?? {}
      const names = [city?.names.en, country?.names?.en ?? country?.iso_code]
      return names.filter(Boolean).join(', ') || null
    },
  }
}

const earthRadiusKm = 6_371

/** How far two places are apart at least: great circle, less what the database is unsure of. */
export function distanceKm(a: Place, b: Place): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180
  const haversine =
    Math.sin(radians(b.latitude - a.latitude) / 2) ** 2 +
    Math.cos(radians(a.latitude)) *
      Math.cos(radians(b.latitude)) *
      Math.sin(radians(b.longitude - a.longitude) / 2) ** 2
  const apart = 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(haversine)))
  return Math.max(0, apart - a.radiusKm - b.radiusKm)
}
