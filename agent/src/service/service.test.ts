import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { installUnit, statusOfUnit, uninstallUnit, type Machine } from './systemd.ts'
import { unitText, type UnitOptions } from './unit.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-service-'))
afterAll(() => rmSync(folder, { recursive: true }))

const options: UnitOptions = {
  scope: 'user',
  command: ['/usr/bin/env', '/opt/sluice/sluice.js'],
  file: '/home/ada/a project/sluice.yml',
  folder: '/tmp',
  variables: '/home/ada/.config/sluice/service.env',
}

/** A machine whose systemd only writes down what it is told. */
function machineAt(runFolder = folder): Machine & { readonly told: string[] } {
  const told: string[] = []
  return {
    told,
    env: { XDG_CONFIG_HOME: folder },
    runFolder,
    systemUnits: join(folder, 'system'),
    async run(command, args) {
      told.push([command, ...args].join(' '))
      if (args.includes('is-active')) throw Object.assign(new Error('3'), { stdout: 'inactive\n' })
      return 'enabled\n'
    },
  }
}

test('the unit starts the project, and gives up where starting again is no cure', () => {
  const text = unitText(options)

  expect(text).toContain(
    'ExecStart=/usr/bin/env /opt/sluice/sluice.js start --all --quiet --config "/home/ada/a project/sluice.yml"',
  )
  expect(text).toContain('RestartPreventExitStatus=2 3 4 7')
  expect(text).toContain('NoNewPrivileges=yes')
  expect(text).not.toMatch(/authtoken|slt_/i)
})

test('a system unit gives up more, and runs as a user', () => {
  const text = unitText({ ...options, scope: 'system', user: 'ada', configHome: '/srv/conf' })

  expect(text).toContain('User=ada')
  expect(text).toContain('ProtectSystem=strict')
  expect(text).toContain('Environment=XDG_CONFIG_HOME=/srv/conf')
  expect(text).toContain('WantedBy=multi-user.target')
})

test('nothing in a path means anything to systemd', () => {
  const text = unitText({ ...options, file: '/x/100%/$HOME/a"b\\c.yml' })

  expect(text).toContain('--config "/x/100%%/$$HOME/a\\"b\\\\c.yml"')
})

const analyze = '/usr/bin/systemd-analyze'

test.for(['user', 'system'] as const)(
  'systemd itself finds nothing wrong with a %s unit',
  (scope) => {
    const file = join(folder, `sluice-${scope}.service`)
    const user = scope === 'system' ? { user: 'root' } : {}
    const command = [process.execPath, join(folder, 'a program.js')]
    writeFileSync(file, unitText({ ...options, scope, command, ...user }))

    // A machine without systemd cannot be asked; what the unit says is held by the tests above all the same.
    const program = existsSync(analyze) ? analyze : '/bin/true'
    const said = execFileSync(program, ['verify', '--man=no', `--${scope}`, file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { XDG_RUNTIME_DIR: folder, PATH: '/usr/bin:/bin', HOME: folder },
    })

    expect(said).toBe('')
  },
)

test('installing writes the unit, enables and starts it; uninstalling leaves nothing', async () => {
  const machine = machineAt()

  const unit = await installUnit('user', unitText(options), machine)
  expect(unit).toBe(join(folder, 'systemd/user/sluice.service'))
  expect(readFileSync(unit, 'utf8')).toBe(unitText(options))
  expect(await statusOfUnit('user', machine)).toMatchObject({
    installed: true,
    state: 'inactive',
    enabled: 'enabled',
  })
  expect(await uninstallUnit('user', machine)).toBe(true)

  expect(existsSync(unit)).toBe(false)
  expect(await uninstallUnit('user', machine)).toBe(false)
  expect(machine.told).toEqual([
    'systemctl --user daemon-reload',
    'systemctl --user enable sluice.service',
    'systemctl --user restart sluice.service',
    'systemctl --user is-active sluice.service',
    'systemctl --user is-enabled sluice.service',
    'systemctl --user disable --now sluice.service',
    'systemctl --user daemon-reload',
  ])
})

test('where systemd does not run the machine, that is said', async () => {
  const machine = machineAt(join(folder, 'nothing here'))

  await expect(installUnit('user', '', machine)).rejects.toMatchObject({
    code: 'SLUICE_SERVICE_MANAGER_MISSING',
  })
  expect(machine.told).toEqual([])
})

test('what systemctl complains about is the reason', async () => {
  const machine: Machine = {
    ...machineAt(),
    async run() {
      throw Object.assign(new Error('exit 1'), { stderr: 'Access denied\n' })
    },
  }

  await expect(installUnit('system', '', machine)).rejects.toMatchObject({
    code: 'SLUICE_SERVICE_FAILED',
    details: { reason: 'Access denied' },
  })
})
