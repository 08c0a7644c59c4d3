// Makes the secrets of docker/compose.yaml, one file each, or rotates one of them. Depends on nothing and runs on Node 20:
//   node scripts/secrets.mjs                       makes what is missing in docker/secrets
//   node scripts/secrets.mjs rotate signing_jwks   signs with the second key from the next start on
//   node scripts/secrets.mjs rotate internal_jwks
//   node scripts/secrets.mjs rotate audit_jwks      keeps every key: they verify what they have signed
//   node scripts/secrets.mjs rotate certificate_keys
//   node scripts/secrets.mjs rotate second_factor_keys
//   node scripts/secrets.mjs rotate webhook_keys
import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.env.SLUICE_SECRETS ?? new URL('../docker/secrets', import.meta.url).pathname
/** The key that signs, the one that signs next, and the one before: its tokens outlive it by minutes. */
const keysMax = 3
/** As many as a set may hold: heads of the audit are verified for years. */
const auditKeysMax = 8

const pathOf = (name) => join(folder, name)
const read = (name) => readFileSync(pathOf(name), 'utf8').trim()

/** Whole or not at all. Containers read as another user: the folder keeps strangers out, not the mode of the file. */
function write(name, text) {
  const path = pathOf(name)
  writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o444 })
  renameSync(`${path}.new`, path)
  console.log(`wrote ${path}`)
}

function make(name, text) {
  if (!existsSync(pathOf(name))) write(name, text())
}

function newKey() {
  const { kty, crv, x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return { kty, crv, kid: randomUUID(), x, d }
}

/** As CERTIFICATE_KEYS, SECOND_FACTOR_KEYS and WEBHOOK_KEYS take it: an id, and 32 bytes. */
const newSealingKey = () =>
  `${new Date().toISOString().slice(0, 10)}-${randomBytes(2).toString('hex')}:${randomBytes(32).toString('base64')}`

const newKeys = () => JSON.stringify({ keys: [newKey(), newKey()] })

/** What those who only verify may have. */
function publicHalf(jwks) {
  const keys = JSON.parse(jwks).keys.map(({ kty, crv, kid, x }) => ({
    kty,
    crv,
    kid,
    x,
    alg: 'EdDSA',
  }))
  return JSON.stringify({ keys })
}

function makeMissing() {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  make('postgres_password', () => randomBytes(24).toString('hex'))
  make(
    'database_url',
    () => `postgresql://sluice:${read('postgres_password')}@postgres:5432/sluice`,
  )
  make('redis_password', () => randomBytes(24).toString('hex'))
  make('redis_url', () => `redis://:${read('redis_password')}@redis:6379`)
  make('signing_jwks', newKeys)
  make('internal_jwks', newKeys)
  make('audit_jwks', newKeys)
  make('internal_public_jwks', () => publicHalf(read('internal_jwks')))
  // Not ours to make: the operator writes it here when bodies are captured.
  make('s3_secret_access_key', () => '')
  // Nor this: the mail server with its password.
  make('smtp_url', () => '')
  make('certificate_keys', newSealingKey)
  make('second_factor_keys', newSealingKey)
  make('webhook_keys', newSealingKey)
  make('relay_peer_secret', () => randomBytes(32).toString('base64url'))
  make('relay_key', () => `slrk_${randomBytes(32).toString('base64url')}`)
  make('relay_key_hashes', () => createHash('sha256').update(read('relay_key')).digest('hex'))
}

/** The new key seals from the next start on, which also seals anew what an older one has sealed. */
function rotateSealingKey(name) {
  write(name, [newSealingKey(), ...read(name).split(',')].slice(0, keysMax).join(','))
}

/** Every verifier knows the second key already, so parts may restart in any order. */
function rotate(name) {
  const [signing, next, ...rest] = JSON.parse(read(name)).keys
  if (!next) throw new Error(`${name} has one key only: add a second one, restart, then rotate`)
  const kept = name === 'audit_jwks' ? auditKeysMax : keysMax
  const keys = [next, newKey(), signing, ...rest].slice(0, kept)
  write(name, JSON.stringify({ keys }))
  if (name === 'internal_jwks') write('internal_public_jwks', publicHalf(read(name)))
}

const [verb, name] = process.argv.slice(2)
if (verb === undefined) makeMissing()
else if (verb === 'rotate' && ['signing_jwks', 'internal_jwks', 'audit_jwks'].includes(name))
  rotate(name)
else if (
  verb === 'rotate' &&
  ['certificate_keys', 'second_factor_keys', 'webhook_keys'].includes(name)
)
  rotateSealingKey(name)
else {
  console.error(
    'usage: node scripts/secrets.mjs [rotate signing_jwks|internal_jwks|audit_jwks|certificate_keys|second_factor_keys|webhook_keys]',
  )
  process.exitCode = 2
}
