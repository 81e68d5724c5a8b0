import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Hub, launchBrowser, patienceMs, startHub, whatIsMissing } from './built-hub.ts'

/** From a hub that is open to its machine to one with a user: signing in, other devices, signing out. */

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const missing = whatIsMissing()
const password = 'correct horse'

describe.skipIf(missing !== undefined)(
  `signing in on the page ${missing ?? ''}`,
  { timeout: 2 * patienceMs },
  () => {
    let hub: Hub
    let browser: Browser
    const contexts: BrowserContext[] = []

    beforeAll(async () => {
      browser = await launchBrowser()
    })
    afterAll(() => browser?.close())
    beforeEach(async () => {
      hub = await startHub()
    })
    afterEach(async () => {
      for (const context of contexts.splice(0)) await context.close()
      await hub?.stop()
    })

    /** A browser of its own, without cookies; 360 pixels wide, as a phone. */
    const open = async (hash: string): Promise<Page> => {
      const viewport = { width: 360, height: 740 }
      const context = await browser.newContext({ locale: 'en-GB', colorScheme: 'light', viewport })
      contexts.push(context)
      const page = await context.newPage()
      page.setDefaultTimeout(patienceMs)
      await page.goto(`${hub.url}/${hash}`)
      return page
    }

    const createFirstUser = async (page: Page): Promise<void> => {
      await page.getByRole('link', { name: 'Set up sign-in' }).click()
      const form = page.getByRole('form', { name: 'First user' })
      await form.getByRole('textbox', { name: 'Name' }).fill('Maria')
      await form.getByRole('textbox', { name: 'Password' }).fill(password)
      expect(await findProblems(page)).toEqual([])
      await form.getByRole('button', { name: 'Create the first user' }).click()
      await page.getByRole('heading', { name: 'Maria' }).waitFor()
    }

    const signIn = async (page: Page, secret: string): Promise<void> => {
      await page.getByRole('textbox', { name: 'Name' }).fill('maria')
      await page.getByRole('textbox', { name: 'Password' }).fill(secret)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    }

    test('first user: is made on the page, which then is signed in and stays so', async () => {
      const page = await open('#/')
      await createFirstUser(page)
      await page.reload()
      await page.getByRole('heading', { name: 'Maria' }).waitFor()
      await page.getByRole('link', { name: 'Maria' }).waitFor()
      await page
        .getByRole('status')
        .filter({ hasText: /^Live$/ })
        .waitFor()
      expect(await page.evaluate<string>('document.cookie')).toBe('')
    })

    test('another device: is asked to sign in, is listed, and can be signed out from here', async () => {
      const first = await open('#/')
      await createFirstUser(first)
      const second = await open('#/account')
      await second.getByRole('heading', { name: 'Sign in' }).waitFor()
      expect(await findProblems(second)).toEqual([])
      await signIn(second, 'wrong horse')
      await second.getByText('The name or the password is not right.').waitFor()
      await signIn(second, password)
      await second.getByRole('heading', { name: 'Maria' }).waitFor()

      await first.reload()
      const devices = first.getByRole('region', { name: 'Where you are signed in' })
      await devices.getByText('This device').waitFor()
      expect(await findProblems(first)).toEqual([])
      await devices.getByRole('button', { name: 'Sign out' }).click()
      await expect.poll(() => devices.getByRole('listitem').count()).toBe(1)
      await second.reload()
      await second.getByRole('heading', { name: 'Sign in' }).waitFor()

      await first.getByRole('button', { name: 'Sign out' }).click()
      await first.getByRole('heading', { name: 'Sign in' }).waitFor()
      await first.getByRole('button', { name: 'Use an API key instead' }).click()
      await first.getByRole('heading', { name: 'This hub asks for a key' }).waitFor()
    })

    test('colours: are a preference of the user and come along to another device', async () => {
      const first = await open('#/')
      await createFirstUser(first)
      await first.getByRole('button', { name: /^Colours: as the system/ }).click()
      await first.getByRole('button', { name: /^Colours: light/ }).click()
      await first.getByRole('button', { name: /^Colours: dark/ }).waitFor()
      await expect
        .poll(() =>
          first.evaluate<string>("fetch('./api/v1/me/preferences').then((answer) => answer.text())"),
        )
        .toBe('{"theme":"dark"}')
      const second = await open('#/account')
      await signIn(second, password)
      await second.getByRole('button', { name: /^Colours: dark/ }).waitFor()
    })
  },
)

/** What axe complains about, and whether the page is wider than its window. */
async function findProblems(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  const found = await page.evaluate<string[]>(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))',
  )
  const isWide = await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')
  return isWide ? [...found, 'the page is wider than its window'] : found
}
