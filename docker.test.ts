import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'

import { isErrorCode } from './schema/errors.ts'
import { anchorOf } from './scripts/docs.ts'
import { missingOptional, type LockedPackages } from './scripts/lock.ts'

/** No docker engine runs here: images and compose file are checked by what they say and by what the parts read. */

interface Service {
  image: string
  build?: { target: string; dockerfile: string }
  environment?: Record<string, string | number>
  secrets?: string[]
  networks: string[]
  ports?: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[] }
  read_only?: boolean
  volumes?: string[]
}
interface Compose {
  services: Record<string, Service>
  networks: Record<string, unknown>
  secrets: Record<string, { file: string }>
  volumes: Record<string, unknown>
}
interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: { runbook: string } }[] }[]
}

const secretsFolder = mkdtempSync(join(tmpdir(), 'sluice-docker-'))
afterAll(() => rmSync(secretsFolder, { recursive: true }))

const read = (path: string) => readFileSync(path, 'utf8')
const makeSecrets = (...args: string[]) =>
  execFileSync(process.execPath, ['scripts/secrets.mjs', ...args], {
    env: { SLUICE_SECRETS: secretsFolder },
  })
makeSecrets()
for (const name of ['tls_cert', 'tls_key']) writeFileSync(join(secretsFolder, name), name)

const compose = parse(read('docker/compose.yaml'), { merge: true }) as Compose
const services = Object.entries(compose.services)
const parts = services.filter(([, { build }]) => build)

/** Each stage of the Dockerfile with its lines, those of the stages it stands on included. */
const stages = new Map<string, string>()
for (const text of read('docker/Dockerfile')
  .split(/^(?=FROM )/m)
  .slice(1)) {
  const [, base = '', name = ''] = /^FROM (\S+) AS (\S+)/.exec(text) ?? []
  stages.set(name, (stages.get(base) ?? '') + text)
}
const mainOf = (target: string) =>
  /^CMD \["node", "(.+)"\]$/m.exec(stages.get(target) ?? '')?.[1] ?? ''

/** What a person would have in docker/.env. */
const operator = Object.fromEntries(
  Array.from(read('docker/example.env').matchAll(/^(\w+)=(.*)$/gm), ([, name, value]) => [
    name,
    value,
  ]),
)

/** The environment as docker compose hands it over, with the secrets where this machine has them. */
function environmentOf({ environment = {} }: Service): Record<string, string> {
  const entries = Object.entries(environment).map(([name, text]) => [
    name,
    String(text)
      .replaceAll(
        /\$\{(\w+)(?::[?-][^}]*)?\}/g,
        (_whole, variable: string) => operator[variable] ?? '',
      )
      .replace('/run/secrets', secretsFolder),
  ])
  return Object.fromEntries(entries)
}

type Config = (env: Record<string, string | undefined>) => unknown

async function configOf(target: string): Promise<Config> {
  const path = join(import.meta.dirname, mainOf(target).replace('main.ts', 'config.ts'))
  return ((await import(path)) as { config: Config }).config
}

/** Every variable that a configuration asks for. */
function namesReadBy(config: Config): Set<string> {
  const names = new Set<string>()
  const env = new Proxy({}, { get: (_target, name) => void names.add(String(name)) })
  try {
    config(env)
  } catch {
    // Nothing is set: the names are all we want.
  }
  return names
}

test.for(parts)('%s is a target of the Dockerfile and a part of the tree', ([name, { build }]) => {
  expect(build).toMatchObject({ target: name, dockerfile: 'docker/Dockerfile' })
  expect([...stages.keys()]).toContain(name)
  expect(mainOf(name)).toMatch(/\/src\/main\.ts$/)
  expect(existsSync(mainOf(name))).toBe(true)
})

const manifests = globSync(
  '{gateway,relay,kit,schema,relay/wire,subgraphs/*,workers/*}/package.json',
).map((path) => {
  const manifest = JSON.parse(read(path)) as { name: string; dependencies?: Record<string, string> }
  return { ...manifest, folder: dirname(path) }
})

/** A package of ours and all that it stands on. */
function withDependencies(name: string): string[] {
  const { dependencies = {} } = manifests.find((one) => one.name === name) ?? {}
  const ours = Object.keys(dependencies).filter((other) => other.startsWith('@sluice/'))
  return [name, ...ours.flatMap(withDependencies)]
}

test.for(parts)('the image of %s holds the part and all of ours that it imports', ([name]) => {
  const folder = mainOf(name).replace('/src/main.ts', '')
  const own = manifests.find((one) => one.folder === folder)?.name ?? ''
  const folders = withDependencies(own).map(
    (other) => manifests.find((one) => one.name === other)?.folder ?? other,
  )
  const stage = stages.get(name) ?? ''
  const copied = Array.from(stage.matchAll(/^COPY (\S+) \.\//gm), ([, path = '']) => path)
  const modules = stages.get(/^COPY --from=(\S+-modules) /m.exec(stage)?.[1] ?? '') ?? ''

  expect(folders.filter((one) => !copied.some((path) => `${one}/`.startsWith(`${path}/`)))).toEqual(
    [],
  )
  expect(modules).toContain(`-w ${own} `)
})

test('every part of the tree has its container', () => {
  const mains = globSync('{gateway,relay,subgraphs/*,workers/*}/src/main.ts')
  expect(parts.map(([name]) => mainOf(name)).toSorted()).toEqual(mains.toSorted())
})

test.for(parts)('%s starts with the environment that compose gives it', async ([name, service]) => {
  const config = await configOf(name)
  const environment = environmentOf(service)
  const unread = Object.keys(environment).filter((variable) => !namesReadBy(config).has(variable))

  expect(unread).toEqual([])
  const port = service.healthcheck?.test.at(-1)
  expect(JSON.stringify(config(environment))).toMatch(new RegExp(`Port":${port}|"port":${port}`))
})

test.for(parts)(
  '%s listens beyond its own container, with its root filesystem closed',
  ([, service]) => {
    expect(Object.entries(service.environment ?? {})).toContainEqual([
      expect.stringMatching(/^(RELAY_)?HOST$/),
      '0.0.0.0',
    ])
    expect(service.read_only).toBe(true)
  },
)

test.for(parts)('%s does not run as root', ([name]) => {
  expect(stages.get(name)).toMatch(/^USER node$/m)
})

test('only the relay is reachable from outside', () => {
  const published = services.filter(([, { ports }]) => ports).map(([name]) => name)
  expect(published).toEqual(['relay'])
})

test.for(services)('%s says when it is ready, and waits for what is', ([, service]) => {
  expect(service.healthcheck?.test.length).toBeGreaterThan(1)
  for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
    expect(compose.services[other]).toBeDefined()
    expect(condition).toBe('service_healthy')
  }
})

test.for(services)('%s names a fixed image, and secrets and networks that exist', ([, service]) => {
  expect(service.image).toMatch(/:v?\d+\.\d+[\w.-]*$/)
  const known = Object.keys(compose.secrets)
  const files = Object.values(service.environment ?? {}).flatMap(
    (value) => /^\/run\/secrets\/(\w+)$/.exec(String(value))?.[1] ?? [],
  )
  expect(known).toEqual(expect.arrayContaining(service.secrets ?? []))
  expect(service.secrets ?? []).toEqual(expect.arrayContaining(files))
  expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining(service.networks))
})

test('no secret stands in the compose file', () => {
  const secret = /(PASSWORD|KEY|JWKS|DATABASE_URL|REDIS_URL|HASHES)$/
  const plain = services.flatMap(([name, { environment = {} }]) =>
    Object.keys(environment).flatMap((variable) =>
      secret.test(variable) ? [`${name} ${variable}`] : [],
    ),
  )
  expect(plain).toEqual([])
})

test('one command makes every secret that compose mounts', () => {
  const files = Object.entries(compose.secrets).filter(([name]) => !name.startsWith('tls_'))
  for (const [name, { file }] of files) {
    expect(file).toBe(`./secrets/${name}`)
    expect(existsSync(join(secretsFolder, name))).toBe(true)
  }
})

test('after a rotation every key that signs was known before it signed', () => {
  const before = JSON.parse(read(join(secretsFolder, 'internal_jwks')))
  makeSecrets('rotate', 'internal_jwks')
  const after = JSON.parse(read(join(secretsFolder, 'internal_jwks')))
  const published = JSON.parse(read(join(secretsFolder, 'internal_public_jwks')))

  expect(after.keys[0].kid).toBe(before.keys[1].kid)
  expect(after.keys[2].kid).toBe(before.keys[0].kid)
  expect(published.keys.map(({ kid }: { kid: string }) => kid)).toEqual(
    after.keys.map(({ kid }: { kid: string }) => kid),
  )
  expect(JSON.stringify(published)).not.toContain('"d"')
})

test('every base image of the Dockerfile is fixed to a release', () => {
  expect(read('docker/Dockerfile')).toMatch(/^ARG NODE_IMAGE=node:\d+\.\d+\.\d+-\S+$/m)
  expect(read('docker/Dockerfile')).not.toContain('latest')
})

test('the lock file serves every platform, or npm ci would refuse it', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: LockedPackages }
  expect(missingOptional(packages), 'run: node scripts/lock.ts').toEqual([])
})

const source = globSync('{gateway,relay,kit,subgraphs,workers}/**/*.ts', {
  exclude: ['**/node_modules/**', '**/*.test.ts'],
})
  .map(read)
  .join('\n')
const rules = parse(read('docker/monitoring/rules.yml')) as Rules
const alerts = rules.groups.flatMap((group) => group.rules)

test.for(globSync('docker/monitoring/*'))('%s asks for metrics that the parts have', (path) => {
  const names = Array.from(read(path).matchAll(/\bsluice_\w+/g), ([name]) => name)
  const missing = names.filter((name) => {
    const plain = name.replace(/_(bucket|sum|count)$/, '')
    return !source.includes(`'${name}'`) && !source.includes(`'${plain}'`)
  })
  expect(missing).toEqual([])
})

test('alerts look for codes of the catalogue', () => {
  const codes = Array.from(
    read('docker/monitoring/rules.yml').matchAll(/SLUICE_[A-Z_]+/g),
    ([code]) => code,
  )
  expect(codes.filter((code) => !isErrorCode(code))).toEqual([])
})

test.for(alerts)('$alert leads to a runbook', ({ annotations }) => {
  const [path = '', anchor = ''] = annotations.runbook.split('#')
  const headings = Array.from(read(path).matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    anchorOf(heading),
  )
  expect(headings).toContain(anchor)
})

test('Prometheus visits every part that has figures', () => {
  const { scrape_configs: jobs } = parse(read('docker/monitoring/prometheus.yml'))
  const targets = jobs.flatMap((job: { static_configs: { targets: string[] }[] }) =>
    job.static_configs.flatMap((one) => one.targets),
  )
  const expected = parts
    .filter(([, { networks }]) => networks.includes('metrics'))
    .map(([name, { healthcheck }]) => `${name}:${healthcheck?.test.at(-1)}`)
  expect(targets.toSorted()).toEqual(expected.toSorted())
})
