import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { configPath, readSavedConfig, writeSavedConfig, type SavedConfig } from './config-file.ts'
import { readSettings } from './config.ts'

let home: string
let path: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sluice-config-'))
  path = configPath({ HOME: home })
})
afterEach(async () => {
  await rm(home, { recursive: true })
})

const saved: SavedConfig = {
  version: 1,
  server: 'https://one.test',
  servers: { 'https://one.test': { authtoken: 'slt_one' } },
}

const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8)

test('only the owner can read what login saved', async () => {
  await writeSavedConfig(path, saved)

  expect(path).toBe(join(home, '.config/sluice/config.json'))
  expect(await modeOf(path)).toBe('600')
  expect(await modeOf(dirname(path))).toBe('700')
})

test('a file and folder that were open to others are closed by the next save', async () => {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, '{}')
  await chmod(path, 0o644)
  await chmod(dirname(path), 0o755)

  await writeSavedConfig(path, saved)

  expect(await modeOf(path)).toBe('600')
  expect(await modeOf(dirname(path))).toBe('700')
})

test('twenty saves at once leave one whole file and nothing else', async () => {
  await Promise.all(Array.from({ length: 20 }, () => writeSavedConfig(path, saved)))

  expect(await readdir(dirname(path))).toEqual(['config.json'])
  expect(await readSavedConfig(path)).toEqual({ config: saved, movedTo: null })
})

test.for(['{"version":1,', '[]', '{"version":1,"servers":{"x":{"authtoken":5}}}', '\u0000\u0001'])(
  'a file that holds %s is moved aside and kept',
  async (text) => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)

    const { config, movedTo } = await readSavedConfig(path)

    expect(config.servers).toEqual({})
    expect(await readFile(movedTo ?? '', 'utf8')).toBe(text)
    expect(await readSavedConfig(path)).toEqual({ config, movedTo: null })
  },
)

test('a folder that cannot be made is a failure with its path', async () => {
  await writeFile(join(home, '.config'), 'a file, not a folder')

  await expect(writeSavedConfig(path, saved)).rejects.toMatchObject({
    code: 'SLUICE_CONFIG_NOT_SAVED',
  })
})

test('a flag wins over the environment, which wins over the file', async () => {
  await writeSavedConfig(path, saved)
  const env = { HOME: home, SLUICE_SERVER: 'https://two.test/' }

  const all = await Promise.all([
    readSettings({ server: 'https://three.test' }, env),
    readSettings({}, env),
    readSettings({}, { HOME: home }),
    readSettings({}, { HOME: join(home, 'nobody') }),
  ])

  expect(all.map(({ server, serverFrom }) => [server, serverFrom])).toEqual([
    ['https://three.test', 'flag'],
    ['https://two.test', 'environment'],
    ['https://one.test', 'file'],
    ['http://localhost:4000', 'default'],
  ])
})

test('the authtoken of one server is never used for another', async () => {
  await writeSavedConfig(path, saved)

  const other = await readSettings({ server: 'https://evil.test' }, { HOME: home })
  const own = await readSettings({}, { HOME: home })

  expect(other.authtoken).toBeNull()
  expect(own).toMatchObject({ authtoken: 'slt_one', authtokenFrom: 'file' })
})

test('the authtoken of the environment wins over the saved one', async () => {
  await writeSavedConfig(path, saved)

  const settings = await readSettings({}, { HOME: home, SLUICE_AUTHTOKEN: ' slt_env\n' })

  expect(settings).toMatchObject({ authtoken: 'slt_env', authtokenFrom: 'environment' })
})

test.for([
  ['sluice.example.com', 'https://sluice.example.com'],
  ['localhost:4000', 'http://localhost:4000'],
  ['127.0.0.1:4000', 'http://127.0.0.1:4000'],
] as const)('the server may be typed as %s', async ([typed, server]) => {
  expect(await readSettings({ server: typed }, { HOME: home })).toMatchObject({ server })
})

test.for(['example.com/path', 'ftp://x.test', 'https://x.test/path', 'https://a:b@x.test'])(
  '%s is refused as a server',
  async (server) => {
    await expect(readSettings({ server }, { HOME: home })).rejects.toMatchObject({
      code: 'SLUICE_USAGE',
    })
  },
)

test('XDG_CONFIG_HOME moves the file, and a relative one counts as unset', () => {
  expect(configPath({ HOME: '/h', XDG_CONFIG_HOME: '/x' })).toBe('/x/sluice/config.json')
  expect(configPath({ HOME: '/h', XDG_CONFIG_HOME: 'x' })).toBe('/h/.config/sluice/config.json')
})
