import { spawnSync } from 'node:child_process'

/** The program that shows that a Debian package is there. */
const programs: Record<string, string> = {
  'redis-server': 'redis-server',
  chromium: 'chromium',
}

/** Installs the packages whose programs are missing; without root or apt it ends with one sentence. */
export function installDebianPackages(names: string[]): void {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
  process.env['PATH'] = path
  const missing = names.filter(
    (name) => spawnSync('sh', ['-c', `command -v ${programs[name] ?? name}`]).status !== 0,
  )
  if (missing.length === 0) return
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) {
    console.error(
      `Missing: ${missing.join(', ')}. Install them with your package manager and run the command again.`,
    )
    process.exit(1)
  }
  console.error(`Installing ${missing.join(', ')} …`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-q'], { env, stdio: 'ignore' })
  const { status } = spawnSync(
    'apt-get',
    ['install', '-y', '-q', '--no-install-recommends', ...missing],
    {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  if (status !== 0) {
    console.error(`apt-get could not install ${missing.join(', ')}: see the messages above.`)
    process.exit(1)
  }
}
