import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
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
      const scores = forecast.getByRole('region', { name: 'Scores' })
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
    await page.getByRole('textbox', { name: 'API key' }).fill('hs_wrong')
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByText('The API key is not known or was revoked.').waitFor()
    await page.getByRole('textbox', { name: 'API key' }).fill(hub.secret ?? '')
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByRole('heading', { name: 'No readings yet' }).waitFor()
    await page
      .getByRole('status')
      .filter({ hasText: /^Live$/ })
      .waitFor()
  })
})

const views = [
  ['#/', /Demo home/],
  ['#/device/demo/house', /next 24 hours/],
  ['#/device/demo/kitchen-smoke', /Kitchen smoke/],
  ['#/quarantine', /Quarantine/],
  ['#/alerts', /Alerts/],
  ['#/nowhere', /Nothing here/],
] as const

async function push(hub: Hub, reading: Record<string, string | number>): Promise<void> {
  await fetch(`${hub.url}/api/v1/readings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(reading),
  })
}

async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  return page.evaluate<string[]>(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))',
  )
}
