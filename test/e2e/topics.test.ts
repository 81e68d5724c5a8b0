import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connectAsync, type MqttClient } from 'mqtt'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Hub, launchBrowser, patienceMs, startHub, whatIsMissing } from './built-hub.ts'

/** The page of what is heard over MQTT and not understood, in a real browser on the built hub. */

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const missing = whatIsMissing()

describe.skipIf(missing !== undefined)(
  `topics that are not understood ${missing ?? ''}`,
  { timeout: 2 * patienceMs },
  () => {
    let hub: Hub
    let browser: Browser
    let sender: MqttClient
    let page: Page
    let complaints: string[]

    beforeAll(async () => {
      hub = await startHub()
      sender = await connectAsync(`mqtt://127.0.0.1:${hub.mqttPort}`)
      browser = await launchBrowser()
    })

    afterAll(async () => {
      await browser?.close()
      await sender?.endAsync()
      await hub?.stop()
    })

    beforeEach(async () => {
      complaints = []
      page = await browser.newPage({ locale: 'en-GB' })
      page.setDefaultTimeout(patienceMs)
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text())
      })
    })

    afterEach(async () => {
      await page.close()
      expect(complaints).toEqual([])
    })

    const hear = (topic: string, payload: string) => sender.publishAsync(topic, payload, { qos: 1 })
    const rowOf = (topic: string) =>
      page
        .getByRole('list', { name: 'Topics that are not understood' })
        .getByRole('listitem')
        .filter({ hasText: topic })
        .first()

    test('one is mapped from its last message, without a restart, and the mapping is removed again', async () => {
      await hear('cellar/boiler/pressure', '1.8')
      await page.goto(`${hub.url}/#/topics`)
      await rowOf('cellar/boiler/pressure')
        .getByRole('button', { name: /^Map this/ })
        .click()
      const form = page.getByRole('form', { name: 'Mapping of cellar/boiler/pressure' })
      await form.getByRole('textbox', { name: 'Unit of Payload' }).fill('litre')
      await form.getByText('unit_unknown').waitFor()
      await form.getByRole('textbox', { name: 'Unit of Payload' }).fill('bar')
      await form
        .getByRole('listitem')
        .filter({ hasText: /boiler · Pressure 1,800\.0/ })
        .waitFor()
      expect(await axeViolations(page)).toEqual([])
      await form.getByRole('button', { name: 'For every device on such topics' }).click()
      await form.getByRole('button', { name: 'Add mapping' }).click()

      await page.getByText('Everything that was heard over MQTT is understood.').waitFor()
      await hear('cellar/tank/pressure', '2')
      const reply = await fetch(`${hub.url}/api/v1/latest?site=home`)
      expect(((await reply.json()) as { items: unknown }).items).toMatchObject([
        { device: 'tank', metric: 'pressure', value: 2000, unit: 'hPa' },
      ])

      const mappings = page.getByRole('list', { name: 'Mappings' })
      await mappings.getByText('cellar/{device}/pressure', { exact: true }).waitFor()
      await mappings.getByRole('button', { name: /^Remove/ }).click()
      await mappings.waitFor({ state: 'detached' })
    })

    test('the fields that no metric takes are named', async () => {
      await hear('zigbee2mqtt/plug', '{"power":4,"voltage":230}')
      await page.goto(`${hub.url}/#/topics`)
      await rowOf('zigbee2mqtt/plug').getByText('Not read: voltage').waitFor()
    })

    test('a message in quarantine is read again, and the rest is cleared', async () => {
      await hear('HyperVolt/sensors/hall/temperature', '{"sensor_id":"t9","value":"warm"}')
      await page.goto(`${hub.url}/#/quarantine`)
      await page.getByText(/mqtt · HyperVolt\/sensors\/hall\/temperature · t9/).waitFor()
      await page.getByRole('button', { name: 'Read all again' }).click()
      await page.getByRole('status').filter({ hasText: '1 message stays in quarantine.' }).waitFor()
      expect(await axeViolations(page)).toEqual([])
      await page.getByRole('button', { name: 'Clear', exact: true }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Clear', exact: true }).click()
      await page.getByText('Nothing is in quarantine.').waitFor()
    })

    test.each(['light', 'dark'] as const)(
      'axe finds nothing, and a phone of 360 px is enough, %s',
      async (colorScheme) => {
        await hear('meters/solar/telemetry', '{"power_w":1200,"deep":{"soc":80}}')
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.setViewportSize({ width: 360, height: 780 })
        await page.goto(`${hub.url}/#/topics`)
        await rowOf('meters/solar/telemetry')
          .getByRole('button', { name: /^Map this/ })
          .click()
        await page.getByText('From the last message').waitFor()
        expect(await axeViolations(page)).toEqual([])
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(360)
      },
    )
  },
)

async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  return page.evaluate<string[]>(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))',
  )
}
