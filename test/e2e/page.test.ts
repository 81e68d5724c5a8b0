import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePort, temporaryFolder } from '../servers.ts'

/**
 * The built page on the built hub, in a real browser: what a person sees from the first start to the first own reading.
 */

const root = fileURLToPath(new URL('../../', import.meta.url))
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const launchArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** Long enough for two busy cores; nothing here is measured. */
const patienceMs = 60_000

const missing = whatIsMissing()

describe.skipIf(missing !== undefined)(`the page in a browser ${missing ?? ''}`, () => {
  let hub: Hub
  let browser: Browser
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    hub = await startHub()
    browser = await chromium.launch({ executablePath: browserProgram() ?? '', args: launchArguments })
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

  test('finds a device by any word that belongs to it', async () => {
    const devices = page.getByRole('region', { name: 'Devices' })
    await devices.getByRole('article').first().waitFor()
    await devices.getByRole('searchbox').fill('living temperature')
    await expect.poll(() => devices.getByRole('article').count()).toBe(1)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`has nothing that axe complains about, ${colorScheme}`, async () => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
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
})

const views = [
  ['#/', /Demo home/],
  ['#/device/demo/house', /next 24 hours/],
  ['#/device/demo/kitchen-smoke', /Kitchen smoke/],
  ['#/quarantine', /Quarantine/],
  ['#/alerts', /Alerts/],
  ['#/nowhere', /Nothing here/],
] as const

interface Hub {
  readonly url: string
  readonly mqttPort: number
  stop(): Promise<void>
}

async function startHub(): Promise<Hub> {
  const [port, mqttPort, folder] = [await freePort(), await freePort(), temporaryFolder('page')]
  const options = ['--data', folder.path, '--port', String(port), '--mqtt-port', String(mqttPort)]
  const child = spawn(process.execPath, ['bin/homeostat.js', 'serve', ...options], {
    cwd: root,
    stdio: 'pipe',
  })
  const said: string[] = []
  child.stdout.on('data', (chunk) => said.push(String(chunk)))
  child.stderr.on('data', (chunk) => said.push(String(chunk)))
  const url = `http://127.0.0.1:${port}`
  const until = Date.now() + patienceMs
  while (!(await isReady(url))) {
    if (child.exitCode !== null || Date.now() > until)
      throw new Error(`The hub did not start:\n${said.join('')}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return { url, mqttPort, stop: () => stop(child).finally(() => folder.remove()) }
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

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

function browserProgram(): string | undefined {
  return programs.find((program) => existsSync(program))
}

/** Why the page cannot be tried here; under CI=true that is an error and not a skip. */
function whatIsMissing(): string | undefined {
  const reason = !browserProgram()
    ? 'Chromium is not installed on this machine (Debian: apt-get install chromium)'
    : !existsSync(`${root}dist/web/index.html`) || !existsSync(`${root}dist/cli/cli.js`)
      ? 'hub and page are not built (npm run build)'
      : undefined
  if (reason !== undefined && process.env['CI'] === 'true') throw new Error(reason)
  return reason
}
