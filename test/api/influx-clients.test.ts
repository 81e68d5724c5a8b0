import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { telegrafOnce, telegrafOrReason } from '../../bench/peers/telegraf.ts'
import { startTestHub, type TestHub } from '../hub.ts'
import { temporaryFolder } from '../servers.ts'

/** Clients of InfluxDB as the README configures them, against a hub that asks for a key. */

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The code after a line of the README. */
const snippet = (heading: string): string =>
  new RegExp(`^${heading}[^\n]*:\n\n\`\`\`\\w+\n([\\s\\S]*?)\`\`\``, 'm').exec(readme)?.[1] ?? ''

let hub: TestHub
let port: number
let secret: string
beforeEach(async () => {
  hub = await startTestHub()
  port = await hub.listen()
  secret = await hub.key('operator')
})
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

const hasGo = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'go')))

describe.runIf(hasGo)('Telegraf (skipped where Go is not installed to build it)', () => {
  let program = ''
  const folder = temporaryFolder('telegraf-input')
  const input = join(folder.path, 'points.lp')
  beforeAll(async () => {
    const built = await telegrafOrReason()
    if ('reason' in built) throw new Error(built.reason)
    program = built.binary
    const lines = [
      'temperature,device=box,unit=degC value=21.5 1772452800000000000',
      'mqtt_consumer,topic=zigbee2mqtt/fridge power=80,state="ON",note="x\\"y" 1772452800000000000',
      'odd\\ name,device=a\\,b count=3i,on=true 1772452800123456789',
    ]
    await writeFile(input, `${lines.join('\n')}\n`)
  }, 1_800_000)
  afterAll(() => folder.remove())

  const stored = [
    'home/a,b odd name_count 3 at 123',
    'home/a,b odd name_on 1 at 123',
    'home/box temperature 21.5 at 0',
    'home/zigbee2mqtt/fridge power 80 at 0',
    'home/zigbee2mqtt/fridge value 1 at 0',
  ]
  const readings = async (): Promise<string[]> =>
    (await hub.engine.readings({}, 100))
      .map(({ site, device, metric, value, at }) => `${site}/${device} ${metric} ${value} at ${at % 1000}`)
      .sort()
  const inputs = `[[inputs.file]]\n  files = ["${input}"]\n  data_format = "influx"\n  precision = "1ns"\n`
  const url = (): string => `http://127.0.0.1:${port}`

  test('outputs.influxdb_v2 as the README configures it stores every point', async () => {
    const config = snippet('Telegraf').replace('http://127.0.0.1:8000', url()).replace('KEY', secret)
    expect(config).toContain(secret)
    const told = await telegrafOnce(program, config + inputs)
    expect([told, await readings()]).toEqual([expect.not.stringMatching(/E!|W! \[outputs/), stored])
  })

  test('outputs.influxdb makes its database, packs its points and stores every one', async () => {
    const output = `[agent]\n  omit_hostname = true\n[[outputs.influxdb]]\n  urls = ["${url()}"]\n  database = "home"\n`
    const told = await telegrafOnce(
      program,
      `${output}  username = "any"\n  password = "${secret}"\n  content_encoding = "gzip"\n${inputs}`,
    )
    expect([told, await readings()]).toEqual([expect.not.stringMatching(/E!|W! \[outputs/), stored])
  })

  test('outputs.influxdb_v2 drops what a partial write refuses, and says why', async () => {
    await writeFile(`${input}.bad`, 'power,device=x,unit=W value=1\npower,device=y,unit=parsec value=1\n')
    const config = snippet('Telegraf').replace('http://127.0.0.1:8000', url()).replace('KEY', secret)
    const told = await telegrafOnce(program, config + inputs.replace(input, `${input}.bad`))
    expect(told).toMatch(/will be dropped.*partial write: unable to store "power" of "y".*parsec/)
    expect((await hub.engine.readings({}, 10)).map(({ device }) => device)).toEqual(['x'])
  })
})

/** Sends what a client would, as far as its configuration decides it. */
async function post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<number> {
  const answer = await fetch(url, { method: 'POST', headers, body })
  await answer.arrayBuffer()
  return answer.status
}

describe('Home Assistant', () => {
  test('the configuration of the README has the keys of its integration, and leads to the hub', async () => {
    const { influxdb } = parse(snippet('Home Assistant'))
    expect(influxdb).toMatchObject({
      api_version: 2,
      ssl: false,
      port: 8000,
      organization: expect.any(String),
    })
    const { bucket, organization, precision } = influxdb
    const url = `http://127.0.0.1:${port}/api/v2/write?org=${organization}&bucket=${bucket}&precision=${precision}`
    const headers = { authorization: influxdb.token.replace('KEY', `Token ${secret}`) }
    // it begins with an empty write
    expect(await post(url, headers, '')).toBe(204)
    const body = '°C,domain=sensor,entity_id=attic value=21.5,state_class_str="measurement" 1772452800000'
    expect(await post(url, headers, body)).toBe(204)
    expect(hub.engine.latest()).toMatchObject([{ device: 'attic', metric: 'temperature', value: 21.5 }])
  })
})

describe('ESPHome', () => {
  test('the request of the README stores a reading', async () => {
    const text = snippet('ESPHome').replace('!lambda |-', '|-')
    const { url, request_headers, body } = parse(text).interval[0].then[0]['http_request.post']
    const line = /str_sprintf\("(.*)", id/.exec(body)?.[1]?.replace('%.2f', '21.50') ?? ''
    const headers = {
      ...request_headers,
      Authorization: request_headers.Authorization.replace('KEY', secret),
    }
    expect(await post(url.replace('192.168.1.5:8000', `127.0.0.1:${port}`), headers, line)).toBe(204)
    expect(hub.engine.latest()).toMatchObject([
      { site: 'home', device: 'attic', metric: 'temperature', value: 21.5, unit: 'degC' },
    ])
    // a sensor that has no value yet
    expect(
      await post(url.replace('192.168.1.5:8000', `127.0.0.1:${port}`), headers, line.replace('21.50', 'nan')),
    ).toBe(400)
  })
})
