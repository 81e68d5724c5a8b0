import { expect, test } from 'vitest'
import { hrefOf, parseRoute, type Route } from './route.ts'
import { mqttAddress } from './views/mqtt-address.ts'

const routes: Route[] = [
  { view: 'home' },
  { view: 'site', site: 'a/b ü?#' },
  { view: 'device', site: 'home', device: 'plug 3/left', range: '24h' },
  { view: 'device', site: 'home', device: 'd', metric: 'a&b=c', range: '1y' },
  { view: 'alerts' },
  { view: 'quarantine' },
  { view: 'topics' },
]

test.each(routes)('the address of $view leads back to it', (route) => {
  expect(parseRoute(hrefOf(route))).toEqual(route)
})

test.each(['#/nowhere', '#/site', '#/device/a', '#/site/a/b'])('%s is no view', (hash) => {
  expect(parseRoute(hash)).toEqual({ view: 'unknown' })
})

test('an address without a view is the front; an unknown range is a day', () => {
  expect(parseRoute('')).toEqual({ view: 'home' })
  expect(parseRoute('#/device/a/b?range=9y')).toEqual({
    view: 'device',
    site: 'a',
    device: 'b',
    range: '24h',
  })
})

test.each([
  ['broker on 127.0.0.1:1884, 2 clients', { host: 'page.lan', port: 1884 }],
  ['subscribed at mqtts://broker.lan:8883', { host: 'broker.lan', port: 8883 }],
  ['subscribed at mqtt://broker.lan', { host: 'broker.lan', port: 1883 }],
  ['broker not listening', { host: 'page.lan', port: 1883 }],
])('MQTT health "%s" tells where to send', (detail, address) => {
  expect(mqttAddress([{ name: 'mqtt', ready: true, detail }], 'page.lan')).toEqual(address)
})
