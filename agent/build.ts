import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { build, type Plugin } from 'esbuild'

import manifest from './package.json' with { type: 'json' }
import { assets } from './src/inspector/assets.ts'
import { projectJsonSchema } from './src/project/shape.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

/** Some dependencies are CommonJS and ask for Node's own modules with `require`; Node 20 has no `withResolvers`. */
const banner = `import { createRequire as createRequireOfSluice } from 'node:module'
const require = createRequireOfSluice(import.meta.url)
function sluiceWithResolvers() {
  const all = {}
  all.promise = new Promise((resolve, reject) => Object.assign(all, { resolve, reject }))
  return all
}`

/** The texts of the inspector page stand in the program: it reads no file that might not be there. */
const embeddedAssets: Plugin = {
  name: 'embedded-assets',
  setup(steps) {
    steps.onLoad({ filter: /inspector[\\/]assets\.ts$/ }, () => ({
      contents: `export const assets = ${JSON.stringify(assets)}`,
    }))
  },
}

interface Bundle {
  readonly entry: string
  readonly outFile: string
  readonly head: string
  readonly minify: boolean
}

async function bundle({ entry, outFile, head, minify }: Bundle): Promise<void> {
  await build({
    absWorkingDir: here,
    entryPoints: [entry],
    outfile: outFile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    minifySyntax: minify,
    minifyWhitespace: minify,
    keepNames: false,
    legalComments: 'none',
    banner: { js: head + banner },
    // A function of our own, not a global one: the library changes nothing in the process around it.
    define: { 'Promise.withResolvers': 'sluiceWithResolvers' },
    plugins: [embeddedAssets],
    // Native helpers that `ws` uses when they happen to be installed.
    external: ['bufferutil', 'utf-8-validate'],
    logLevel: 'warning',
  })
}

/** Builds the program as one file of plain JavaScript, which the Node of the developer's machine runs. */
export async function buildAgent(outFile: string): Promise<void> {
  await bundle({ entry: 'src/main.ts', outFile, head: '#!/usr/bin/env node\n', minify: true })
  await chmod(outFile, 0o755)
}

/** Builds what is published: program, library with its types, JSON Schema. It needs no other package. */
export async function buildPackage(folder: string): Promise<void> {
  const { name, version, engines } = manifest
  await mkdir(folder, { recursive: true })
  await buildAgent(join(folder, 'sluice.js'))
  const library = join(folder, 'library.js')
  // Node prints the line that threw: it should be one that fits a screen.
  await bundle({ entry: 'src/library.ts', outFile: library, head: '', minify: false })
  await writeTypes(join(folder, 'library.d.ts'))
  await copyFile(join(here, 'README.md'), join(folder, 'README.md'))
  await writeJson(join(folder, 'sluice.schema.json'), projectJsonSchema())
  await writeJson(join(folder, 'package.json'), {
    name,
    version,
    description: 'Puts a service on a public address: the sluice program, and a library',
    type: 'module',
    bin: { sluice: './sluice.js' },
    exports: {
      '.': { types: './library.d.ts', default: './library.js' },
      './sluice.schema.json': './sluice.schema.json',
    },
    engines,
  })
}

/** The library’s declarations. They stand on nothing but Node’s own, so that one file is enough. */
async function writeTypes(outFile: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-types-'))
  try {
    const compiler = fileURLToPath(import.meta.resolve('typescript/package.json'))
    await promisify(execFile)(process.execPath, [
      join(dirname(compiler), 'bin/tsc'),
      '-p',
      join(here, 'tsconfig.library.json'),
      '--outDir',
      folder,
    ])
    await copyFile(join(folder, 'agent/src/library.d.ts'), outFile)
  } finally {
    await rm(folder, { recursive: true })
  }
  const foreign = /from '(?!node:)/.exec(await readFile(outFile, 'utf8'))
  if (foreign) throw new Error('the declarations of the library name a module of its inside')
}

async function writeJson(file: string, value: object): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`)
}

if (import.meta.main) {
  if (process.argv[2] === 'package') await buildPackage(resolve(here, 'dist/package'))
  else await buildAgent(resolve(here, 'dist/sluice.js'))
}
