import { ConfigError } from '@sluice/kit/config'
import { generatePrivateJwks, publicJwksOf } from '@sluice/kit/signing-keys'
import { expect, test } from 'vitest'

import { config } from './config.ts'

const keys = await generatePrivateJwks()
const env = {
  DATABASE_URL: 'postgres://sluice@db/sluice',
  REDIS_URL: 'redis://redis',
  SIGNING_JWKS: JSON.stringify(keys),
  INTERNAL_PUBLIC_JWKS: JSON.stringify(publicJwksOf(keys)),
  SECOND_FACTOR_KEYS: `a:${Buffer.alloc(32, 1).toString('base64')}`,
  CONSOLE_ORIGIN: 'https://console.example.test',
}

test('the environment becomes typed values, with defaults for what is no secret', () => {
  expect(config(env)).toMatchObject({ port: 4001, host: '127.0.0.1', signingJwks: keys })
})

test('a provider is offered when both its id and its secret are set, with https beyond this machine', () => {
  const github = { GITHUB_CLIENT_ID: 'id', GITHUB_CLIENT_SECRET: 'secret' }
  const client = { clientId: 'id', clientSecret: 'secret' }

  expect(config({ ...env, GOOGLE_CLIENT_ID: 'id' }).social).toEqual({ google: null, github: null })
  expect(config({ ...env, ...github }).social.github).toEqual({
    ...client,
    url: 'https://github.com',
    apiUrl: 'https://api.github.com',
  })
  expect(config({ ...env, ...github, GITHUB_URL: 'https://git.example/' }).social.github).toEqual({
    ...client,
    url: 'https://git.example',
    apiUrl: 'https://git.example/api/v3',
  })
  expect(() => config({ ...env, GITHUB_URL: 'http://git.example' })).toThrow(
    /GITHUB_URL: needs https/,
  )
})

test('every problem is named at once, and no value', () => {
  const read = () =>
    config({ ...env, DATABASE_URL: '', SIGNING_JWKS: '{"keys":[{"d":"hunter2"}]}' })

  expect(read).toThrow(ConfigError)
  expect(read).toThrow(/DATABASE_URL is not set\n {2}SIGNING_JWKS/)
  expect(read).not.toThrow(/hunter2/)
})
