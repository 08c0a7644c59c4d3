import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Completes `package-lock.json` with the packages of other platforms. A registry mirror that carries those of its own
 * platform only makes npm leave them out, and then `npm ci` refuses the lock file everywhere.
 */

interface LockedPackage {
  readonly version?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
export type LockedPackages = Record<string, LockedPackage & Readonly<Record<string, unknown>>>

const lockFile = fileURLToPath(new URL('../package-lock.json', import.meta.url))
const cpus = ['arm64', 'x64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el']
const systems = [
  'darwin',
  'linux',
  'win32',
  'freebsd',
  'openbsd',
  'netbsd',
  'sunos',
  'aix',
  'android',
  'openharmony',
]

/** Optional packages that no entry of the lock file provides: path of the dependent, name, version. */
export function missingOptional(
  packages: LockedPackages,
): [path: string, name: string, version: string][] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !isProvided(packages, path, name))
      .map(([name, version]): [string, string, string] => [path, name, version]),
  )
}

/** Whether Node would find the package from the dependent, walking up as Node does. */
function isProvided(packages: LockedPackages, dependent: string, name: string): boolean {
  let path = dependent
  while (path !== '') {
    if (packages[join(path, 'node_modules', name)]) return true
    path = path.slice(0, Math.max(path.lastIndexOf('/node_modules/'), 0))
  }
  return packages[join('node_modules', name)] !== undefined
}

/** An entry as npm writes it, without the checksum that only the registry knows. */
function entryOf(name: string, version: string) {
  const words = name.replace(/^@[^/]+\//, '').split(/[-.]/)
  const cpu = words.filter((word) => cpus.includes(word))
  const os = words.filter((word) => systems.includes(word))
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : []
  return {
    version,
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(os.includes('linux') && libc.length > 0 ? { libc } : {}),
    optional: true,
    ...(os.length > 0 ? { os } : {}),
  }
}

/** The lock file with an entry for each missing package, in npm's order. */
export function completed(packages: LockedPackages): LockedPackages {
  const added = Object.fromEntries(
    missingOptional(packages).map(([path, name, version]) => {
      const atRoot = join('node_modules', name)
      const wanted = packages[atRoot] ? join(path, atRoot) : atRoot
      return [wanted, entryOf(name, version)]
    }),
  )
  const paths = Object.entries({ ...packages, ...added })
  return Object.fromEntries(paths.toSorted(([a], [b]) => a.localeCompare(b, 'en')))
}

if (import.meta.main) {
  const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: LockedPackages }
  const packages = completed(lock.packages)
  const added = Object.keys(packages).length - Object.keys(lock.packages).length
  if (added > 0) writeFileSync(lockFile, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`)
  console.log(`${added} packages of other platforms added to package-lock.json`)
}
