import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { barriers, createStage } from './browser.ts'
import type { Opened, Stage } from './browser.ts'
import { createWorld } from './world.ts'
import type { Subgraph } from './world.ts'

interface PageCase {
  readonly path: string
  readonly title: string
  /** Something that only the full page shows. */
  readonly full: string
  /** The next step that the empty page names. */
  readonly empty: string
  readonly owner: Subgraph
}

const cases: readonly PageCase[] = [
  {
    path: 'start',
    title: 'You are set up',
    full: 'was answered with 502',
    empty: 'node agent/dist/sluice.js http 3000',
    owner: 'tunnels',
  },
  {
    path: 'tunnels',
    title: 'Tunnels',
    full: 'staging-api',
    empty: 'node agent/dist/sluice.js http 3000',
    owner: 'tunnels',
  },
  {
    path: 'tunnels/t1',
    title: 'calm-otter',
    full: 'http://calm-otter.tunnel.localhost:8080',
    empty: 'SLUICE_TUNNEL_NOT_FOUND',
    owner: 'tunnels',
  },
  {
    path: 'requests',
    title: 'Requests',
    full: '/hooks/stripe?delivery=3f1c',
    empty: 'node agent/dist/sluice.js http 3000',
    owner: 'tunnels',
  },
  {
    path: 'domains',
    title: 'Domains',
    full: '_sluice-challenge.hooks.example.com',
    empty: 'Add the first one',
    owner: 'domains',
  },
  {
    path: 'authtokens',
    title: 'Authtokens',
    full: 'build server',
    empty: 'node agent/dist/sluice.js login --server',
    owner: 'identity',
  },
  {
    path: 'api-keys',
    title: 'API keys',
    full: 'Its maker has left',
    empty: 'No API key yet',
    owner: 'identity',
  },
  {
    path: 'service-accounts',
    title: 'Service accounts',
    full: 'nightly report',
    empty: 'No service account yet',
    owner: 'identity',
  },
  {
    path: 'webhooks?endpoint=w1',
    title: 'Webhooks',
    full: 'tunnel.offline',
    empty: 'No endpoint yet',
    owner: 'tunnels',
  },
  {
    path: 'members',
    title: 'Members',
    full: 'grace@example.com',
    empty: 'Invite people by email',
    owner: 'identity',
  },
  {
    path: 'roles',
    title: 'Roles',
    full: 'members.manage',
    empty: 'This organization has no role of its own yet.',
    owner: 'identity',
  },
  {
    path: 'usage',
    title: 'Plan and usage',
    full: '84 % is used',
    empty: 'This server offers no plans',
    owner: 'billing',
  },
  {
    path: 'audit',
    title: 'Audit log',
    full: 'authtoken.created',
    empty: 'Nothing was recorded yet',
    owner: 'identity',
  },
  {
    path: 'scim',
    title: 'SCIM',
    full: 'Platform engineers',
    empty: 'No token yet',
    owner: 'identity',
  },
  {
    path: 'security',
    title: 'Security',
    full: 'Safari on iOS',
    empty: 'Send the mail again',
    owner: 'identity',
  },
  {
    path: 'mail',
    title: 'Mail of this server',
    full: 'full@example.com',
    empty: 'set SMTP_URL',
    owner: 'identity',
  },
]

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage.close())

/** One browser for all tests of a state: only the address changes. */
function open(options: () => Parameters<Stage['open']>[1]) {
  let opened: Opened & AsyncDisposable
  beforeAll(async () => {
    opened = await stage.open('/o/acme/tunnels', options())
  })
  afterAll(() => opened[Symbol.asyncDispose]())
  return async (path: string) => {
    await opened.page.goto(`${opened.url}/o/acme/${path}`)
    return opened
  }
}

describe('with everything there', () => {
  const visit = open(() => ({}))

  test.for(cases)(
    '$path shows it, and keeps nobody out in light or dark',
    async ({ path, title, full }) => {
      const { page, complaints } = await visit(path)
      await page.getByText(full).first().waitFor()

      expect(await page.title()).toBe(`${title} · Sluice`)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.waitForSelector(`html[data-mantine-color-scheme=${colorScheme}]`)
        expect(await barriers(page, { onlyColours: colorScheme === 'dark' })).toEqual([])
      }
      expect(complaints).toEqual([])
    },
  )

  test('an unknown address says so and leads on', async () => {
    const { page } = await visit('nothing')
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
    expect(await barriers(page)).toEqual([])
    await page.getByRole('link', { name: 'Go to your tunnels' }).click()
    await page.getByRole('heading', { name: 'Tunnels', exact: true }).waitFor()
  })

  test('an organization of others looks like none', async () => {
    const { page, url } = await visit('tunnels')
    await page.goto(`${url}/o/initech/tunnels`)
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
    expect(await page.title()).toBe('There is no such page · Sluice')
  })

  test('the address that the CLI prints leads to the page', async () => {
    const { page, url } = await visit('tunnels')
    await page.goto(`${url}/authtokens`)
    await page.getByText('build server').waitFor()
    expect(page.url()).toBe(`${url}/o/acme/authtokens`)
  })

  test('dialogs and the details of a request keep nobody out either', async () => {
    const { page } = await visit('requests?request=01980000-0000-7000-8000-000000000059')
    await page.getByText('User-Agent').waitFor()
    await page.getByText('"<script>": "stays a text"').waitFor()
    expect(await barriers(page)).toEqual([])
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    expect(await barriers(page)).toEqual([])
  })
})

describe('with nothing there yet', () => {
  const visit = open(() => ({ world: createWorld({ isEmpty: true }) }))

  test.for(cases)('$path names the next step', async ({ path, empty }) => {
    const { page, complaints } = await visit(path)
    await page.getByText(empty).first().waitFor()
    expect(await barriers(page)).toEqual([])
    expect(complaints).toEqual([])
  })
})

describe('while the graph is slow', () => {
  const visit = open(() => {
    const world = createWorld()
    world.gate = new Promise(() => {})
    return { world }
  })

  test.for(cases)('$path shows that it loads', async ({ path }) => {
    const { page } = await visit(path)
    await page.getByRole('status', { name: 'Loading' }).first().waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })
})

describe.for(['identity', 'tunnels', 'domains', 'billing'] as const)(
  'while %s is down',
  (subgraph) => {
    const visit = open(() => {
      const world = createWorld()
      world.down.add(subgraph)
      return { world }
    })

    test.for(cases.filter(({ owner }) => owner === subgraph))(
      '$path says what failed, why, and what to do',
      async ({ path }) => {
        const { page, complaints } = await visit(path)
        const alert = page.getByRole('alert').first()
        await alert.waitFor()
        const text = await alert.textContent()

        expect(text).toContain('A part of Sluice is not answering.')
        expect(text).toContain('Try again in a moment')
        expect(text).toContain('SLUICE_SUBGRAPH_UNAVAILABLE')
        expect(complaints).toEqual([])
      },
    )
  },
)

test('a subgraph that is down greys its panel, and the page goes on', async () => {
  const world = createWorld()
  world.down.add('domains')
  await using opened = await stage.open('/o/acme/tunnels/t1', { world })
  const { page } = opened
  await page.getByRole('alert').waitFor()

  const failed = page.locator('[data-failed]')
  expect(await failed.count()).toBe(1)
  expect(await failed.getByRole('heading').textContent()).toBe('Custom domains')
  expect(await page.getByText('http://calm-otter.tunnel.localhost:8080').isVisible()).toBe(true)

  expect(await barriers(page)).toEqual([])

  world.down.clear()
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('app.example.com').waitFor()
  expect(await failed.count()).toBe(0)
})

test('billing that is down leaves the comparison of plans', async () => {
  const world = createWorld()
  world.down.add('billing')
  await using opened = await stage.open('/o/acme/usage', { world })
  await opened.page.getByText('For products that depend on it.').waitFor()
  expect(await opened.page.locator('[data-failed]').count()).toBe(2)
})
