import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Hub, launchBrowser, patienceMs, startHub, whatIsMissing } from './built-hub.ts'

/** What a person does to devices on the built page, in a real browser. */

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const missing = whatIsMissing()
const folder = process.env['SCREENSHOTS']

describe.skipIf(missing !== undefined)(
  `devices on the page ${missing ?? ''}`,
  { timeout: 2 * patienceMs },
  () => {
    let hub: Hub
    let browser: Browser
    let page: Page

    beforeAll(async () => {
      hub = await startHub({ key: true })
      browser = await launchBrowser()
    }, patienceMs)

    afterAll(async () => {
      await browser?.close()
      await hub?.stop()
    })

    beforeEach(async () => {
      page = await browser.newPage({ locale: 'en-GB', colorScheme: 'light' })
      page.setDefaultTimeout(patienceMs)
      await page.addInitScript(`sessionStorage.setItem('homeostat.key', '${hub.secret}')`)
    })

    afterEach(() => page.close())

    const ask = async (method: string, path: string, body?: object) => {
      const answer = await fetch(`${hub.url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${hub.secret}`, 'content-type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      expect(answer.status).toBe(200)
      return answer.json() as Promise<{ readonly items: readonly { readonly value: number }[] }>
    }

    const send = (device: string, value: number, room = 'hall') =>
      ask('POST', '/readings', { device, metric: 'power', unit: 'W', value, room })

    const open = async (device: string) => {
      await page.goto(`${hub.url}/#/device/home/${encodeURIComponent(device)}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
    }

    const faultsOf = async (): Promise<string[]> => {
      await page.evaluate(axeSource)
      return page.evaluate<string[]>(
        `axe.run(document, { rules: { region: { enabled: false } } })
        .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))`,
      )
    }

    /** A picture of the page as it is, where a folder for pictures is named. */
    const shoot = async (name: string): Promise<void> => {
      if (folder === undefined) return
      await page.waitForTimeout(300)
      await page.screenshot({ path: `${folder}/${name}.png` })
    }

    test('names a device, sets its room and role, and hides it from the list, by keyboard alone', async () => {
      await send('zigbee/lamp 1', 60)
      await open('zigbee/lamp 1')
      await page.getByRole('button', { name: 'Edit' }).focus()
      await page.keyboard.press('Enter')
      const dialog = page.getByRole('dialog', { name: 'Edit zigbee/lamp 1' })
      await dialog.locator('input:focus').waitFor()
      await page.keyboard.type('Reading lamp')
      await dialog.getByLabel('Room').fill('Library')
      await dialog.getByLabel('Meter role').selectOption('device')
      await shoot('edit-light')
      expect(await faultsOf()).toEqual([])
      await dialog.getByLabel('Room').press('Enter')
      await page.getByRole('heading', { level: 1, name: 'Reading lamp' }).waitFor()
      await page.getByText('Library · One consumer').waitFor()
      await send('zigbee/lamp 1', 61, 'cellar')
      await page.goto(`${hub.url}/#/site/home`)
      await page.getByRole('article').filter({ hasText: 'Reading lamp' }).waitFor()
      await page.getByRole('heading', { name: 'Library' }).waitFor()
      await open('zigbee/lamp 1')
      await page.getByRole('button', { name: 'Edit' }).click()
      await page.getByRole('dialog').getByLabel('In lists').selectOption('hidden')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('hidden from lists').waitFor()
      await page.goto(`${hub.url}/#/site/home`)
      await page.getByRole('button', { name: 'Show 1 hidden device' }).click()
      await page.getByRole('article').filter({ hasText: 'Reading lamp' }).waitFor()
    })

    test('deletes a device after it said what will happen, and undoes it', async () => {
      await send('kettle', 2000)
      await open('kettle')
      await page.getByRole('button', { name: 'Delete' }).click()
      const dialog = page.getByRole('dialog', { name: 'Delete Kettle?' })
      await dialog.getByText('is gone from every page and answer at once').waitFor()
      await shoot('delete-light')
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'hidden' })
      await page.getByRole('button', { name: 'Delete' }).click()
      await dialog.getByRole('button', { name: 'Delete device' }).click()
      const removed = page.getByRole('region', { name: 'Removed devices' })
      await removed.getByText('Kettle was deleted', { exact: true }).waitFor()
      expect((await ask('GET', '/devices?device=kettle')).items).toEqual([])
      await shoot('removed-light')
      expect(await faultsOf()).toEqual([])
      await page.goto(`${hub.url}/#/site/home`)
      await removed.getByRole('button', { name: 'Undo that Kettle was deleted' }).click()
      await page.getByRole('article').filter({ hasText: 'Kettle' }).getByText('2').first().waitFor()
      await removed.waitFor({ state: 'hidden' })
    })

    test('merges a device into another on a narrow dark screen', async () => {
      await send('old plug', 100)
      await send('new plug', 200)
      await page.setViewportSize({ width: 360, height: 740 })
      await page.emulateMedia({ colorScheme: 'dark' })
      await open('old plug')
      await shoot('device-dark-360')
      await page.getByRole('button', { name: 'Edit' }).click()
      await page.getByRole('dialog').getByLabel('Name').waitFor()
      await shoot('edit-dark-360')
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.getByRole('button', { name: 'Merge' }).click()
      const dialog = page.getByRole('dialog', { name: 'Merge Old plug into another device?' })
      await dialog.getByLabel('Into').selectOption('new plug')
      await dialog
        .getByText('All readings of Old plug, also those to come, are those of New plug then')
        .waitFor()
      await shoot('merge-dark-360')
      expect(await faultsOf()).toEqual([])
      const width = await page.evaluate<number>('document.documentElement.scrollWidth')
      expect(width).toBeLessThanOrEqual(360)
      await dialog.getByRole('button', { name: 'Merge', exact: true }).click()
      await page.getByText('Old plug was merged into New plug', { exact: true }).waitFor()
      await send('old plug', 300)
      const { items } = await ask('GET', '/readings?device=new%20plug')
      expect(items.map(({ value }) => value)).toEqual([100, 200, 300])
    })
  },
)
