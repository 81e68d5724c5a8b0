import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Hub, launchBrowser, patienceMs, startHub, whatIsMissing } from './built-hub.ts'

/** The API as ReDoc shows it, in a real browser. */

const missing = whatIsMissing()

describe.skipIf(missing !== undefined)(
  `/redoc in a browser ${missing ?? ''}`,
  { timeout: patienceMs },
  () => {
    let hub: Hub
    beforeAll(async () => {
      hub = await startHub({ key: true })
    }, patienceMs)
    afterAll(() => hub?.stop())

    test('redoc: shows every route without another host, and answers with a slash at its end', async () => {
      const browser = await launchBrowser()
      const page = await browser.newPage()
      page.setDefaultTimeout(patienceMs)
      const complaints: string[] = []
      const loaded: string[] = []
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text())
      })
      page.on('response', (response) => loaded.push(response.url()))
      for (const path of ['/redoc', '/redoc/']) {
        await page.goto(hub.url + path)
        await page.getByRole('heading', { name: 'Readings, oldest first' }).first().waitFor()
        await page.getByRole('searchbox').or(page.getByPlaceholder('Search...')).first().fill('forecast')
        await page
          .getByRole('menuitem', { name: /newest forecast of every target/ })
          .first()
          .waitFor()
      }
      expect(loaded.filter((url) => !url.startsWith(hub.url) && !/^(data|blob):/.test(url))).toEqual([])
      expect(complaints).toEqual([])
      await browser.close()
    })
  },
)
