import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'

import { expect, test } from 'vitest'

import { configPath, writeSavedConfig } from '../config-file.ts'
import { readSettings, type GlobalFlags } from '../config.ts'
import {
  fixtureAuthtoken,
  fixtureOrganization,
  fixtureViewer,
  openGraphFixture,
} from '../graph-fixture.ts'
import { createOutput } from '../output.ts'
import type { Io } from './context.ts'
import { runDoctor } from './doctor.ts'

const tunnels = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } }
const healthy = {
  viewer: { ...fixtureViewer, organization: { ...fixtureOrganization, tunnels } },
  regions: [{ id: 'local', name: 'Local', available: true }],
}

/** What `sluice doctor` prints, and how it ends. */
async function doctor(flags: GlobalFlags, env: NodeJS.ProcessEnv = {}) {
  const stdout = new PassThrough()
  const own = { XDG_CONFIG_HOME: '/nowhere', ...env }
  const error: unknown = await runDoctor({
    settings: await readSettings(flags, own),
    output: createOutput({ stdout, stderr: stdout, json: false, quiet: false, color: false }),
    io: { env: own, signal: new AbortController().signal } as unknown as Io,
  }).catch((failure: unknown) => failure)
  return { text: String(stdout.read() ?? ''), error }
}

test('all that is in order is said to be, and nothing fails', async () => {
  await using server = await openGraphFixture(healthy)
  const env = { SLUICE_AUTHTOKEN: fixtureAuthtoken }
  const { text, error } = await doctor({ server: server.url }, env)

  expect(error).toBeUndefined()
  expect(text).toContain('✓ Login: Ada')
  expect(text).toContain('✓ Relays: ready in local')
  expect(text).toContain('7 checks: 6 passed, 1 skipped')
  expect(text).not.toContain(fixtureAuthtoken)
})

test('each failure names the command that mends it', async () => {
  const { text, error } = await doctor({ server: 'http://localhost:1' })

  expect(error).toMatchObject({ code: 'SLUICE_CHECKS_FAILED' })
  expect(text).toContain('✗ Authtoken: there is none for http://localhost:1')
  expect(text).toContain('    → sluice login --server http://localhost:1')
  expect(text).toMatch(/✗ Server: .*the connection was refused\n {4}→ curl/)
})

test('no relay that is ready is a failure, and a wrong authtoken as well', async () => {
  await using server = await openGraphFixture({ ...healthy, regions: [] })
  const idle = await doctor({ server: server.url }, { SLUICE_AUTHTOKEN: fixtureAuthtoken })
  const wrong = await doctor({ server: server.url }, { SLUICE_AUTHTOKEN: `slt_${'b'.repeat(38)}` })

  expect(idle.text).toContain('✗ Relays')
  expect(wrong.text).toContain('✗ Login')
})

test('an authtoken that others may read is a warning', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-doctor-'))
  await using server = await openGraphFixture(healthy)
  const env = { XDG_CONFIG_HOME: folder }
  const servers = { [server.url]: { authtoken: fixtureAuthtoken } }
  await writeSavedConfig(configPath(env), { version: 1, server: server.url, servers })
  await chmod(configPath(env), 0o644)
  await writeFile(join(folder, 'sluice/sluice.yml'), 'version: 1\ntunnels: { a: {} }\n')

  const { text } = await doctor({}, env)
  await rm(folder, { recursive: true })

  expect(text).toContain(`    → chmod 600 ${configPath(env)}`)
  expect(text).toMatch(/✗ Project file: 1 faults in .*\n {4}→ sluice config check/)
})
