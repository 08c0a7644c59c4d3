import axe from 'axe-core'
import type { RunOptions } from 'axe-core'
import { chromium } from 'playwright-core'
import type { Page } from 'playwright-core'
import { inject } from 'vitest'

import { createFixtureServer } from './fixture-server.ts'
import { createWorld } from './world.ts'
import type { World } from './world.ts'

/**
 * The browser draws parts of its own window as web pages, unseen here, at twice the price of the page under test. The
 * others are off by Playwright's choice, which a second list replaces.
 */
const featuresOff = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
]

const flags = [
  `--disable-features=${featuresOff.join(',')}`,
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const waitMs = 20_000

interface AxeWindow {
  readonly axe: typeof axe
}

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

/** A browser to open the console in as often as wanted. */
export async function createStage() {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags })

  return {
    /** Opens a page of the console in a browser of its own, on a platform of its own. */
    async open(
      path: string,
      { world = createWorld(), scheme = 'light' }: Options = {},
    ): Promise<Opened & AsyncDisposable> {
      const server = await createFixtureServer({ dist: inject('consoleDist'), world })
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
    close: () => browser.close(),
  }
}

export type Stage = Awaited<ReturnType<typeof createStage>>

/** The rules of axe whose answer depends on colours. */
const colourRules = ['color-contrast', 'link-in-text-block']

/**
 * What axe calls serious or critical on the page as it is, one line each. With `onlyColours` what else it sees is left
 * out: a page that was looked at in one scheme has the same elements in the other.
 */
export async function barriers(page: Page, { onlyColours = false } = {}): Promise<string[]> {
  const options: RunOptions = { resultTypes: ['violations'], preload: false }
  if (onlyColours) options.runOnly = colourRules
  const hasAxe = await page.evaluate(() => 'axe' in globalThis)
  if (!hasAxe) await page.evaluate(axe.source)
  const violations = await page.evaluate(
    (given) =>
      (globalThis as unknown as AxeWindow).axe.run(given).then((found) => found.violations),
    options,
  )
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
