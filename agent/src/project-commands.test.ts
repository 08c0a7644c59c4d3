import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { buildAgent } from '../build.ts'

vi.setConfig({ testTimeout: 60_000 })

const folder = mkdtempSync(join(tmpdir(), 'sluice-project-commands-'))
const program = join(folder, 'sluice.js')
beforeAll(() => buildAgent(program), 60_000)
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the built program in a folder of its own, without a server. */
function sluice(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', HOME: folder, ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
const valid = 'version: 1\ntunnels:\n  app: { target: 3000 }\n'

test('config check says what is wrong with line and column, and ends with 2', async () => {
  write('bad.yml', 'version: 1\ntunnels:\n  app: { taget: 3000 }\n')
  write('good.yml', valid)

  const bad = await sluice(['config', 'check', 'bad.yml'])
  expect(bad).toMatchObject({ code: 2, stdout: '' })
  expect(bad.stderr).toContain('bad.yml:3:10: unknown key taget; did you mean target?')
  expect(bad.stderr).toContain('SLUICE_PROJECT_INVALID')
  const good = await sluice(['config', 'check', 'good.yml'])
  expect(good).toMatchObject({ code: 0, stderr: '' })
  expect(good.stdout).toContain('app  http  http://localhost:3000')
})

test('config check is machine-readable too', async () => {
  write('bad.yml', 'version: 2\n')
  const { stdout, code } = await sluice(['config', 'check', 'bad.yml', '--json'])
  const [checked, failed] = stdout.trim().split('\n')

  expect(code).toBe(2)
  expect(JSON.parse(checked ?? '')).toMatchObject({
    event: 'checked',
    valid: false,
    faults: [
      { line: 1, column: 1 },
      { line: 1, column: 10 },
    ],
  })
  expect(JSON.parse(failed ?? '')).toMatchObject({ event: 'error' })
})

test('without a file one is told where it was looked for', async () => {
  const { code, stderr } = await sluice(['config', 'check'])

  expect(code).toBe(2)
  expect(stderr).toContain(join(folder, 'sluice.yml'))
  expect(stderr).toContain(join(folder, '.config/sluice/sluice.yml'))
  expect((await sluice(['start'])).stderr).toContain('SLUICE_PROJECT_NOT_FOUND')
})

test('the JSON Schema is printed for editors', async () => {
  const { stdout } = await sluice(['config', 'schema'])

  expect(JSON.parse(stdout)).toMatchObject({ type: 'object', required: ['version', 'tunnels'] })
})

test('an import is written once, and says what it left out', async () => {
  write('ngrok.yml', 'authtoken: SECRET\ntunnels:\n  web: { proto: http, addr: 3000 }\n')

  const first = await sluice(['import', 'ngrok.yml', '--out', 'imported.yml'])
  expect(first.code).toBe(0)
  expect(first.stderr).toContain('ngrok.yml:1: authtoken')
  expect(readFileSync(join(folder, 'imported.yml'), 'utf8')).not.toContain('SECRET')
  expect((await sluice(['config', 'check', 'imported.yml'])).code).toBe(0)

  const second = await sluice(['import', 'ngrok.yml', '--out', 'imported.yml'])
  expect(second.code).toBe(2)
  expect(second.stderr).toContain('imported.yml exists; --force overwrites it.')
  expect((await sluice(['import', 'ngrok.yml', '--out', 'imported.yml', '--force'])).code).toBe(0)
})

test('the unit of the service is shown without a login, and holds no credential', async () => {
  write('unit.yml', valid)
  const authtoken = `slt_${'x'.repeat(38)}`
  const { stdout, code } = await sluice(['service', 'install', '--print', '--config', 'unit.yml'], {
    SLUICE_AUTHTOKEN: authtoken,
  })

  expect(code).toBe(0)
  expect(stdout).toContain(`start --all --quiet --config ${join(folder, 'unit.yml')}`)
  expect(stdout).not.toContain(authtoken)
})

test('a shell completes commands and options by what is printed for it', async () => {
  const { stdout } = await sluice(['completion', 'bash'])
  const complete = (line: string) => {
    const words = line.split(' ')
    const script = `${stdout}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}\n_sluice\necho "\${COMPREPLY[*]}"`
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(' ')
  }

  expect(complete('sluice st')).toEqual(['start', 'status'])
  expect(complete('sluice config ch')).toEqual(['check'])
  expect(complete('sluice http --inspect-')).toEqual(['--inspect-port'])
  expect((await sluice(['completion', 'fish'])).stdout).toContain('complete -c sluice')
  expect((await sluice(['completion', 'tcsh'])).code).toBe(2)
})

test('certificates and a proxy that cannot be used are a mistake of the command line', async () => {
  const ca = await sluice(['status', '--ca', 'missing.pem'], { SLUICE_AUTHTOKEN: 'x' })
  expect(ca).toMatchObject({ code: 2 })
  expect(ca.stderr).toContain('missing.pem')

  const proxy = await sluice(['status'], { HTTPS_PROXY: 'socks5://proxy:1080' })
  expect(proxy).toMatchObject({ code: 2 })
  expect(proxy.stderr).toContain('The proxy is not valid')
})
