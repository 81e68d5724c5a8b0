import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Hub, launchBrowser, patienceMs, startHub, whatIsMissing } from './built-hub.ts'

/**
 * The built page on the built hub, in a real browser: what a person sees from the first start to the first own reading.
 */

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const missing = whatIsMissing()

describe.skipIf(missing !== undefined)(
  `the page in a browser ${missing ?? ''}`,
  { timeout: 2 * patienceMs },
  () => {
    let hub: Hub
    let browser: Browser
    let page: Page
    let complaints: string[]

    beforeAll(async () => {
      hub = await startHub()
      browser = await launchBrowser()
    })

    afterAll(async () => {
      await browser?.close()
      await hub?.stop()
    })

    beforeEach(async () => {
      complaints = []
      page = await browser.newPage({ locale: 'en-GB', colorScheme: 'light' })
      page.setDefaultTimeout(patienceMs)
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text())
      })
      await page.goto(hub.url)
    })

    afterEach(async () => {
      await page.close()
      // nothing thrown, nothing refused by the content security policy
      expect(complaints).toEqual([])
    })

    test('says that the demo home is simulated, on every view', async () => {
      for (const hash of ['#/', '#/alerts', '#/quarantine', '#/device/demo/fridge']) {
        await page.goto(`${hub.url}/${hash}`)
        await page.getByRole('complementary', { name: 'Simulated data' }).waitFor()
      }
    })

    test('shows values that change without a reload', async () => {
      const devices = page.getByRole('region', { name: 'Devices' })
      await devices.getByRole('article').first().waitFor()
      const before = await devices.locator('.metric-value').allInnerTexts()
      await expect
        .poll(() => devices.locator('.metric-value').allInnerTexts(), { timeout: patienceMs })
        .not.toEqual(before)
    })

    test('leads from the overview to a forecast beside the naive one and its scores', async () => {
      const forecasts = page.getByRole('region', { name: 'Forecasts', exact: true })
      await forecasts.getByRole('row', { name: /House/ }).getByRole('link').click()
      const forecast = page.getByRole('region', { name: 'Forecast of Energy' })
      const chart = forecast.getByRole('slider')
      await chart.focus()
      await page.keyboard.press('End')
      await expect.poll(() => chart.getAttribute('aria-valuetext')).toMatch(/Naive: .+\skWh/)
      const scores = forecast.getByRole('group', { name: 'Scores' })
      await scores.getByRole('row', { name: /^Same time yesterday \d/ }).waitFor()
      await scores.getByRole('columnheader', { name: 'RMSE' }).waitFor()
    })

    test('shows the history of a series by readings and by the hour', async () => {
      await page.goto(`${hub.url}/#/device/demo/living-room-climate?metric=temperature`)
      const history = page.getByRole('region', { name: 'History of Temperature' })
      await history.getByText('Lowest').waitFor()
      await history.getByText('7 days').click()
      await history.getByText('Mean of the hour').waitFor()
      expect(page.url()).toContain('range=7d')
    })

    test('begins a view at its top, and goes back to where the reader was', async () => {
      const link = page.getByRole('article').filter({ hasText: 'Heat pump' }).getByRole('link').first()
      await link.scrollIntoViewIfNeeded()
      const before = await page.evaluate<number>('scrollY')
      expect(before).toBeGreaterThan(500)
      await link.click()
      await expect.poll(() => page.title()).toBe('Heat pump · Homeostat')
      await expect.poll(() => page.evaluate<number>('scrollY')).toBe(0)
      await page.goBack()
      await expect.poll(() => page.evaluate<number>('scrollY')).toBeGreaterThan(500)
    })

    test('finds a device by any word that belongs to it', async () => {
      const devices = page.getByRole('region', { name: 'Devices' })
      await devices.getByRole('article').first().waitFor()
      await devices.getByRole('searchbox').fill('living temperature')
      await expect.poll(() => devices.getByRole('article').count()).toBe(1)
    })

    test('takes a model through its life: live, rolled back with the reason, live again', async () => {
      const { panel, versions } = await openLearnt(page, hub)
      await speakNaively(hub)
      await makeLive(page, versions)
      const live = versions.getByRole('listitem').filter({ has: page.getByText('Live', { exact: true }) })
      expect(await live.innerText()).toMatch(/by force/)
      await panel.getByText(/^Learnt model, /).waitFor()

      await live.getByRole('button', { name: /^Roll back/ }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'To the naive forecast' }).click()
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
      await panel.locator('.tag').getByText('Naive forecast', { exact: true }).waitFor()
      const said = panel.locator('.verdict')
      await said.filter({ hasText: /Naive.+no learnt model is live/is }).waitFor()
      await said.filter({ hasText: /Rejected.+Rolled back by this machine/s }).waitFor()

      await makeLive(page, versions)
      await panel.getByText(/^Learnt model, /).waitFor()
      await said.filter({ hasText: /Live.+Made live by force by this machine/s }).waitFor()
      await panel.getByText('What was live when').click()
      await panel
        .getByText(/: naive forecast$/)
        .first()
        .waitFor()
      expect(await axeViolations(page)).toEqual([])
    })

    test('asks before it goes against the gate, and leaves things as they are on no', async () => {
      const { versions } = await openLearnt(page, hub)
      const before = await versions.innerText()
      const asks = versions.getByRole('button', { name: /^(Make live|Roll back)/ }).first()
      await asks.focus()
      await page.keyboard.press('Enter')
      const dialog = page.getByRole('dialog')
      await dialog.waitFor()
      expect(await axeViolations(page)).toEqual([])
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'hidden' })
      expect(await versions.innerText()).toBe(before)
      // back where the keyboard was
      await expect
        .poll(() => page.evaluate<string>('document.activeElement.textContent'))
        .toBe(await asks.textContent())
    })

    test('forgets a day, learns anew without it, and takes it back', async () => {
      const { panel } = await openLearnt(page, hub)
      const learning = panel.getByRole('region', { name: 'Learning' })
      await learning.getByText('Forget a day', { exact: true }).click()
      const day = new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10)
      await learning.getByLabel('Day', { exact: true }).fill(day)
      await learning.getByLabel(/^Why/).fill('Guests')
      await learning.getByRole('button', { name: 'Forget', exact: true }).click()
      const row = learning.getByRole('list', { name: 'Forgotten days' }).getByRole('listitem')
      await row.filter({ hasText: 'Guests' }).waitFor()
      await expect.poll(() => forgottenDays(hub), { timeout: patienceMs }).toEqual(['Guests'])
      await learning.getByText(/Last trained/).waitFor()
      await row.getByRole('button', { name: /^Take back/ }).click()
      await row.waitFor({ state: 'detached' })
      expect(await forgottenDays(hub)).toEqual([])
    })

    test('shows the home though one of its answers cannot be read, and does not ask for it without end', async () => {
      let asked = 0
      await page.route('**/api/v1/infos**', (route) => {
        asked++
        return route.fulfill({ json: { items: [{ summary: 'from a newer hub' }], next: null } })
      })
      await page.reload()
      await page.getByRole('heading', { name: 'Demo home' }).waitFor()
      await page.getByRole('article').first().waitFor()
      expect(asked).toBeGreaterThan(0)
      expect(asked).toBeLessThan(5)
    })

    for (const colorScheme of ['light', 'dark'] as const) {
      test(`has nothing that axe complains about, ${colorScheme}`, async () => {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor({ state: 'attached' })
        for (const [hash, shown] of views) {
          await page.goto(`${hub.url}/${hash}`)
          await page.getByRole('heading', { name: shown }).first().waitFor()
          expect(await axeViolations(page), hash).toEqual([])
        }
      })
    }

    test('fits a phone of 360 px', async () => {
      await page.setViewportSize({ width: 360, height: 780 })
      for (const [hash, shown] of views) {
        await page.goto(`${hub.url}/${hash}`)
        await page.getByRole('heading', { name: shown }).first().waitFor()
        expect(await page.evaluate<number>('document.documentElement.scrollWidth'), hash).toBe(360)
      }
    })

    // the last two change the hub for good
    test('removes the demo home at a click, and then shows how to send a first reading', async () => {
      await page.getByRole('button', { name: 'Remove demo' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click()
      await page.getByRole('heading', { name: 'No readings yet' }).waitFor()
      expect(await page.getByText('simulated data').count()).toBe(0)
      expect(await page.getByText(`mosquitto_pub -h 127.0.0.1 -p ${hub.mqttPort}`).count()).toBe(1)
      expect(await axeViolations(page)).toEqual([])
    })

    test('becomes the home with the first reading, and shows what it could not take', async () => {
      await page.getByRole('heading', { name: 'No readings yet' }).waitFor()
      await push(hub, { device: 't1', metric: 'temperature', value: 21.5, room: 'kitchen' })
      const card = page.getByRole('article').filter({ hasText: 't1' })
      await card.getByText('21.5 °C').waitFor()
      await push(hub, { device: 't1', metric: 'temperature', value: 22.5, room: 'kitchen' })
      await card.getByText('22.5 °C').waitFor()
      await push(hub, { device: 't1', metric: 'temperature', value: 'warm' })
      await page.goto(`${hub.url}/#/quarantine`)
      await page.getByText('value_not_number').waitFor()
    })
  },
)

describe.skipIf(missing !== undefined)(`the page of a hub that asks for a key ${missing ?? ''}`, () => {
  let hub: Hub
  let browser: Browser

  beforeAll(async () => {
    hub = await startHub({ key: true })
    browser = await launchBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    await hub?.stop()
  })

  test('opens with the key alone, live feed included', async () => {
    const page = await browser.newPage({ locale: 'en-GB' })
    page.setDefaultTimeout(patienceMs)
    await page.goto(hub.url)
    await page.getByRole('heading', { name: 'This hub asks for a key' }).waitFor()
    expect(await axeViolations(page)).toEqual([])
    await give(page, 'hs_wrong')
    await page.getByText('The API key is not known or was revoked.').waitFor()
    await give(page, hub.secret ?? '')
    await page.getByRole('heading', { name: 'No readings yet' }).waitFor()
    await page
      .getByRole('status')
      .filter({ hasText: /^Live$/ })
      .waitFor()
  })

  test('lets each role do what it may, and tells the rest', async () => {
    const hourMs = 3_600_000
    const newest = Math.floor(Date.now() / hourMs) * hourMs
    const readings = Array.from({ length: 96 }, (_, hour) => ({
      ...{ device: 'oven', metric: 'energy', unit: 'kWh', value: 1 + (hour % 24) / 10 },
      at: newest - (96 - hour) * hourMs,
    }))
    await push(hub, readings)
    const secret = await viewerKey(hub)
    for (const [key, may] of [
      [secret, false],
      [hub.secret ?? '', true],
    ] as const) {
      const page = await openWith(browser, `${hub.url}/#/device/home/oven`, key)
      const learning = page.getByRole('region', { name: 'Learning' })
      const train = learning.getByRole('button', { name: 'Train now' })
      const note = learning.getByText('a key of the role operator is needed')
      await (may ? train : note).waitFor()
      expect([await train.count(), await note.count()]).toEqual(may ? [1, 0] : [0, 1])
      await page.close()
    }
  })

  test('an incident is acknowledged, snoozed and resolved by an operator, and a viewer sees it live', async () => {
    const url = `${hub.url}/#/alerts`
    const operator = await openWith(browser, url, hub.secret ?? '')
    const viewer = await openWith(browser, url, await viewerKey(hub))
    await viewer.getByText('Nothing is wrong.').waitFor()
    await viewer.getByText('a key of the role operator is needed').waitFor()

    await push(hub, { device: 'air', metric: 'co2', value: 1500 })
    const seen = incidentOf(viewer, 'The air is stuffy.')
    await seen.waitFor()
    expect(await seen.getByRole('button').count()).toBe(0)
    const own = incidentOf(operator, 'The air is stuffy.')
    await own.getByRole('button', { name: /^Acknowledge/ }).click()
    await seen.getByText('Acknowledged by page').waitFor()
    await own
      .getByRole('group', { name: /^Snooze/ })
      .getByRole('button', { name: '1 h' })
      .click()
    await seen.getByText(/^Snoozed until/).waitFor()
    await own.getByText('1 alert').click()
    await own.getByText(/^stuffy · warning · since/).waitFor()
    expect(await axeViolations(operator)).toEqual([])

    await own.getByRole('button', { name: /^Resolve/ }).click()
    await operator.getByRole('dialog').getByRole('button', { name: 'Resolve', exact: true }).click()
    await viewer.getByText('Nothing is wrong.').waitFor()
    await viewer.getByText('All', { exact: true }).click()
    await incidentOf(viewer, 'The air is stuffy.').getByText('Resolved by page').waitFor()
    for (const page of [operator, viewer]) await page.close()
  })

  test('maintenance is planned, silences what it covers, and is removed', async () => {
    const page = await openWith(browser, `${hub.url}/#/alerts`, hub.secret ?? '')
    const maintenance = page.getByRole('region', { name: 'Maintenance' })
    await maintenance.getByText('Plan maintenance').click()
    await maintenance.getByLabel('What').selectOption('air')
    await maintenance.getByLabel(/^Why/).fill('new filters')
    expect(await axeViolations(page)).toEqual([])
    await maintenance.getByRole('button', { name: 'Plan', exact: true }).click()
    const row = maintenance.getByRole('list', { name: 'Maintenance windows' }).getByRole('listitem')
    await row.filter({ hasText: /Now.*Air: new filters/ }).waitFor()

    await push(hub, { device: 'air', metric: 'co2', value: 900 })
    await push(hub, { device: 'air', metric: 'co2', value: 1600 })
    const silenced = incidentOf(page, 'The air is stuffy.').getByText('Maintenance', { exact: true })
    await silenced.waitFor()
    await row.getByRole('button', { name: /^Remove/ }).click()
    await maintenance.getByText(/^None is planned/).waitFor()
    await silenced.waitFor({ state: 'detached' })
    await page.close()
  })
})

const incidentOf = (page: Page, message: string): Locator =>
  page
    .getByRole('region', { name: 'Incidents', exact: true })
    .getByRole('listitem')
    .filter({ hasText: message })
    .first()

async function viewerKey(hub: Hub): Promise<string> {
  const made = await send(hub, 'keys', { name: 'guest', role: 'viewer', sites: null })
  return ((await made.json()) as { secret: string }).secret
}

async function openWith(browser: Browser, url: string, key: string): Promise<Page> {
  const page = await browser.newPage({ locale: 'en-GB' })
  page.setDefaultTimeout(patienceMs)
  await page.goto(url)
  await give(page, key)
  return page
}

async function give(page: Page, key: string): Promise<void> {
  await page.getByRole('textbox', { name: 'API key' }).fill(key)
  await page.getByRole('button', { name: 'Open' }).click()
}

const views = [
  ['#/', /Demo home/],
  ['#/device/demo/house', /next 24 hours/],
  ['#/device/demo/kitchen-smoke', /Kitchen smoke/],
  ['#/quarantine', /Quarantine/],
  ['#/alerts', /Incidents/],
  ['#/nowhere', /Nothing here/],
] as const

/** The page of a device that has learnt, at the part that tells of it. */
async function openLearnt(page: Page, hub: Hub) {
  await page.goto(`${hub.url}/#/device/demo/house`)
  const panel = page.getByRole('region', { name: 'Forecast of Energy' })
  const versions = panel.getByRole('region', { name: 'Versions' })
  // the first training may still run
  await versions.waitFor({ timeout: 2 * patienceMs })
  await panel.getByText(/Last trained/).waitFor()
  return { panel, versions }
}

/** The newest version that is not live; by force, for what the gate says of a made-up home is not known here. */
async function makeLive(page: Page, versions: Locator): Promise<void> {
  await versions
    .getByRole('button', { name: /^Make live by force/ })
    .first()
    .click()
  await page.getByRole('dialog').getByRole('button', { name: 'Make live by force' }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
}

/** Whatever the gate said of the made-up home: no learnt model is live after it. */
async function speakNaively(hub: Hub): Promise<void> {
  const series = { site: 'demo', device: 'house', metric: 'energy' }
  const { status } = await send(hub, 'models/rollback', { ...series, version: 'naive' })
  expect([200, 404]).toContain(status)
}

async function forgottenDays(hub: Hub): Promise<string[]> {
  const reply = await fetch(`${hub.url}/api/v1/forgotten`)
  const { items } = (await reply.json()) as { items: { reason: string }[] }
  return items.map(({ reason }) => reason)
}

const push = (hub: Hub, readings: unknown): Promise<Response> => send(hub, 'readings', readings)

const send = (hub: Hub, path: string, body: unknown): Promise<Response> =>
  fetch(`${hub.url}/api/v1/${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(hub.secret ? { authorization: `Bearer ${hub.secret}` } : {}),
    },
    body: JSON.stringify(body),
  })

async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  return page.evaluate<string[]>(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))',
  )
}
