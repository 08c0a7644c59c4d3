import { chmod } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build, type Plugin } from 'esbuild'

import { assets } from './src/inspector/assets.ts'

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

/** The texts of the inspector page stand in the program: it reads no file that might not be there. */
const embeddedAssets: Plugin = {
  name: 'embedded-assets',
  setup(bundle) {
    bundle.onLoad({ filter: /inspector[\\/]assets\.ts$/ }, () => ({
      contents: `export const assets = ${JSON.stringify(assets)}`,
    }))
  },
}

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
    plugins: [embeddedAssets],
    // Native helpers that `ws` uses when they happen to be installed.
    external: ['bufferutil', 'utf-8-validate'],
    logLevel: 'warning',
  })
  await chmod(outFile, 0o755)
}

if (import.meta.main) await buildAgent(resolve(here, 'dist/sluice.js'))
