import { chmod } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))

/** Some dependencies are CommonJS and ask for Node's own modules with `require`; Node 20 has no `withResolvers`. */
const banner = `#!/usr/bin/env node
import { createRequire as createRequireOfSluice } from 'node:module'
const require = createRequireOfSluice(import.meta.url)
Promise.withResolvers ??= function () {
  const all = {}
  all.promise = new this((resolve, reject) => Object.assign(all, { resolve, reject }))
  return all
}`

/** Builds the program as one file of plain JavaScript, which the Node of the developer's machine runs. */
export async function buildAgent(outFile: string): Promise<void> {
  await build({
    absWorkingDir: here,
    entryPoints: ['src/main.ts'],
    outfile: outFile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: false,
    legalComments: 'none',
    banner: { js: banner },
    // Native helpers that `ws` uses when they happen to be installed.
    external: ['bufferutil', 'utf-8-validate'],
    logLevel: 'warning',
  })
  await chmod(outFile, 0o755)
}

if (import.meta.main) await buildAgent(resolve(here, 'dist/sluice.js'))
