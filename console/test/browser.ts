import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'
import type { Page } from 'playwright-core'
import { build } from 'vite'

import { createFixtureServer } from './fixture-server.ts'
import { createWorld } from './world.ts'
import type { World } from './world.ts'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const waitMs = 20_000

interface Options {
  readonly world?: World
  readonly scheme?: 'light' | 'dark'
}

export interface Opened {
  readonly page: Page
  readonly world: World
  readonly url: string
  readonly cut: () => void
  /** Errors and policy violations that the page met, also those that nobody saw. */
  readonly complaints: readonly string[]
}

/** The console built once, and a browser to open it in as often as wanted. */
export async function createStage() {
  const dist = await mkdtemp(join(tmpdir(), 'console-'))
  await build({
    root: join(import.meta.dirname, '..'),
    logLevel: 'error',
    build: { outDir: dist, emptyOutDir: true },
  })
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags })

  return {
    /** Opens a page of the console in a browser of its own, on a platform of its own. */
    async open(
      path: string,
      { world = createWorld(), scheme = 'light' }: Options = {},
    ): Promise<Opened & AsyncDisposable> {
      const server = await createFixtureServer({ dist, world })
      const context = await browser.newContext({
        colorScheme: scheme,
        viewport: { width: 1360, height: 860 },
        reducedMotion: 'reduce',
      })
      await context.grantPermissions(['clipboard-read', 'clipboard-write'])
      const page = await context.newPage()
      page.setDefaultTimeout(waitMs)
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error' && !isNetworkNoise(message.text())) {
          complaints.push(message.text())
        }
      })
      await page.goto(server.url + path)
      return {
        page,
        world,
        url: server.url,
        cut: () => server.cut(),
        complaints,
        async [Symbol.asyncDispose]() {
          await context.close()
          await server.close()
        },
      }
    },
    async close() {
      await browser.close()
      await rm(dist, { recursive: true, force: true })
    },
  }
}

export type Stage = Awaited<ReturnType<typeof createStage>>

/** What axe calls serious or critical on the page as it is, one line each. */
export async function barriers(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    // There are no frames to merge, for which the builder would open a page each time.
    .setLegacyMode(true)
    .options({ resultTypes: ['violations'], preload: false })
    .analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')} ${failureSummary}`),
    )
}

/** A test that cuts connections makes the browser say so. */
function isNetworkNoise(text: string): boolean {
  return /WebSocket connection|net::ERR_/.test(text)
}
