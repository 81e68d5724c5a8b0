import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { domains as shipped } from '../domains/index.ts'
import { type Environment, envName, olderNames, settingsOf } from './env.ts'
import { exampleEnv } from './env-example.ts'
import { exampleYaml } from './example.ts'
import { ConfigKeys } from './keys.ts'
import { type Config, loadConfig } from './load.ts'
import { configSchemaOf, type DomainSettings } from './schema.ts'

const settableKeys = new ConfigKeys(configSchemaOf(shipped)).settable

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'homeostat-config-'))
})
afterEach(() => rm(cwd, { recursive: true }))

interface Scene {
  readonly files?: Readonly<Record<string, string>>
  readonly file?: string
  readonly env?: Environment
  readonly flags?: Readonly<Record<string, unknown>>
  readonly domains?: readonly DomainSettings[]
}

async function load({ files = {}, file, env = {}, flags = {}, domains = shipped }: Scene): Promise<Config> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true })
    await writeFile(join(cwd, name), text)
  }
  return loadConfig({ file, cwd, env, flags, domains })
}

const yaml = (text: string): Scene => ({ files: { 'homeostat.yaml': text } })

describe('what is configured', () => {
  const rows: readonly (Scene & { name: string; read: (config: Config) => unknown; gives: unknown })[] = [
    {
      name: 'nothing: the defaults, open to this machine only',
      read: ({ host, port, mqtt, site, retention, demo }) => [
        host,
        port,
        mqtt.host,
        mqtt.port,
        mqtt.topicPrefix,
        site.id,
        retention.readingsDays,
        demo.enabled,
      ],
      gives: ['127.0.0.1', 8000, '127.0.0.1', 1883, 'HyperVolt/sensors', 'home', null, 'auto'],
    },
    {
      name: 'no zone: the one of the machine',
      read: ({ site }) => site.zone,
      gives: new Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    { name: 'an empty file', ...yaml('# nothing\n'), read: ({ port }) => port, gives: 8000 },
    {
      name: 'a section or list of which all is commented out',
      ...yaml('mqtt:\n  mappings:\n  # port: 1\nlimits:\nrules:\n'),
      read: ({ mqtt, domains }) => [mqtt.port, mqtt.mappings, domains['thresholds']],
      gives: [1883, [], { rules: [] }],
    },
    {
      name: 'the file over the defaults',
      ...yaml('port: 1\nmqtt: { port: 2 }\n'),
      read: ({ port, mqtt, host }) => [port, mqtt.port, host],
      gives: [1, 2, '127.0.0.1'],
    },
    {
      name: '.env over the file',
      files: { 'homeostat.yaml': 'port: 1', '.env': 'HOMEOSTAT_PORT=2' },
      read: ({ port }) => port,
      gives: 2,
    },
    {
      name: '.env.local over .env, .env.production over both',
      files: {
        '.env': 'HOMEOSTAT_PORT=1\nHOMEOSTAT_MQTT_PORT=1\nHOMEOSTAT_SITE_ID=a',
        '.env.local': 'HOMEOSTAT_PORT=2\nHOMEOSTAT_MQTT_PORT=2',
        '.env.production': 'HOMEOSTAT_PORT=3',
        '.env.development': 'HOMEOSTAT_PORT=4',
      },
      env: { NODE_ENV: 'production' },
      read: ({ port, mqtt, site }) => [port, mqtt.port, site.id],
      gives: [3, 2, 'a'],
    },
    {
      name: 'the environment over .env',
      files: { '.env.local': 'HOMEOSTAT_PORT=2' },
      env: { HOMEOSTAT_PORT: '3' },
      read: ({ port }) => port,
      gives: 3,
    },
    {
      name: 'an old name in the environment over the new one in .env',
      files: { '.env': 'HOMEOSTAT_PORT=2' },
      env: { API_PORT: '3' },
      read: ({ port }) => port,
      gives: 3,
    },
    {
      name: 'the command line over everything; what it leaves out stays',
      ...yaml('host: 10.0.0.1'),
      env: { HOMEOSTAT_PORT: '3', HOMEOSTAT_MQTT_PORT: '5' },
      flags: { port: 4, host: undefined, 'mqtt.port': undefined },
      read: ({ port, host, mqtt }) => [port, host, mqtt.port],
      gives: [4, '10.0.0.1', 5],
    },
    {
      name: 'a file that is named',
      files: { 'etc/hub.yaml': 'port: 9', 'homeostat.yaml': 'port: 1' },
      file: 'etc/hub.yaml',
      read: ({ port }) => port,
      gives: 9,
    },
    {
      name: 'an empty variable counts as absent',
      env: { HOMEOSTAT_PORT: '', API_PORT: '', MQTT_BROKER_HOST: '' },
      read: ({ port, mqtt }) => [port, mqtt.url],
      gives: [8000, undefined],
    },
    {
      name: 'text that looks like a number stays text where text is wanted',
      env: { HOMEOSTAT_MQTT_PASSWORD: '007', HOMEOSTAT_SITE_NAME: 'true' },
      read: ({ mqtt, site }) => [mqtt.password, site.name],
      gives: ['007', 'true'],
    },
    {
      name: 'numbers, flags, null and lists from variables',
      env: {
        HOMEOSTAT_LIMITS_BODY_BYTES: '2048',
        HOMEOSTAT_DEMO_ENABLED: 'false',
        HOMEOSTAT_RETENTION_READINGS_DAYS: 'null',
        HOMEOSTAT_RULES: '[{"name":"hot","metric":"temperature","above":30,"level":"info"}]',
      },
      read: ({ limits, demo, retention, domains }) => [
        limits.bodyBytes,
        demo.enabled,
        retention.readingsDays,
        domains['thresholds'],
      ],
      gives: [
        2048,
        false,
        null,
        { rules: [{ name: 'hot', metric: 'temperature', above: 30, level: 'info', forSeconds: 0 }] },
      ],
    },
    {
      name: 'the names of the older systems',
      env: {
        API_PORT: '5000',
        LOG_LEVEL: 'WARNING',
        MQTT_BROKER_HOST: 'broker',
        MQTT_BROKER_PORT: '1884',
        MQTT_USERNAME: 'u',
        MQTT_PASSWORD: '1e3',
        MQTT_TOPIC_PREFIX: 'HyperVolt',
      },
      read: ({ port, log, mqtt: { url, port: own, username, password, topicPrefix } }) => [
        port,
        log.level,
        url,
        own,
        username,
        password,
        topicPrefix,
      ],
      gives: [5000, 'warn', 'mqtt://broker:1884', 1883, 'u', '1e3', 'HyperVolt/sensors'],
    },
    {
      name: 'the names of the energy backend',
      env: { DEBUG: 'True', DATA_FILE: './data/energy.csv' },
      read: ({ log, importFile }) => [log.level, importFile],
      gives: ['debug', './data/energy.csv'],
    },
    {
      name: 'DEBUG as libraries use it, which says nothing to the hub',
      env: { DEBUG: 'mqttjs*' },
      read: ({ log, importFile }) => [log.level, importFile],
      gives: ['info', undefined],
    },
    {
      name: 'LOG_LEVEL over DEBUG',
      env: { DEBUG: '1', LOG_LEVEL: 'ERROR' },
      read: ({ log }) => log.level,
      gives: 'error',
    },
    {
      name: 'the names of the older systems for models',
      env: {
        ML_RETRAIN_HOUR: '03',
        ML_TRAINING_INTERVAL_HOURS: '12',
        MODEL_PATH: '/app/models/smoke_detection_model.pkl',
        MODEL_RELOAD_INTERVAL: '60',
        MINIO_ENDPOINT: 'minio:9000',
        MINIO_ACCESS_KEY: 'a',
        MINIO_SECRET_KEY: 's',
      },
      read: ({ training, artifacts: { folder, reloadSeconds, store, endpoint, accessKey, secretKey } }) => [
        training.retrainHour,
        training.retrainHours,
        folder,
        reloadSeconds,
        store,
        endpoint,
        accessKey,
        secretKey,
      ],
      gives: [3, 12, '/app/models', 60, 's3', 'http://minio:9000', 'a', 's'],
    },
    {
      name: 'models on disk where the older system did not share them',
      env: { MINIO_ENDPOINT: 'minio:9000', MODEL_SAVE_SHARED: 'false' },
      read: ({ artifacts: { store } }) => store,
      gives: 'file',
    },
    {
      name: 'a broker port without a host is that of the built-in broker',
      env: { MQTT_BROKER_PORT: '1884', MQTT_TOPIC_PREFIX: 'a/sensors/' },
      read: ({ mqtt }) => [mqtt.url, mqtt.port, mqtt.topicPrefix],
      gives: [undefined, 1884, 'a/sensors'],
    },
    {
      name: 'a broker host at an IPv6 address',
      env: { MQTT_BROKER_HOST: 'fe80::1' },
      read: ({ mqtt }) => mqtt.url,
      gives: 'mqtt://[fe80::1]:1883',
    },
    {
      name: 'what Kubernetes says of its services is not meant for the hub',
      env: {
        HOMEOSTAT_SERVICE_HOST: '10.0.0.7',
        HOMEOSTAT_SERVICE_PORT_HTTP: '8000',
        HOMEOSTAT_PORT: 'tcp://10.0.0.7:8000',
        HOMEOSTAT_PORT_8000_TCP_ADDR: '10.0.0.7',
      },
      read: ({ port }) => port,
      gives: 8000,
    },
    {
      name: 'variables of others are not looked at',
      env: { PORT: 'x', HOST: 'y', HOMEOSTATIC: 'z' },
      read: ({ port, host }) => [port, host],
      gives: [8000, '127.0.0.1'],
    },
  ]
  it.each(rows)('$name', async ({ read, gives, ...scene }) => {
    expect(read(await load(scene))).toStrictEqual(gives)
  })

  it('a relative data folder begins where the hub was started', async () => {
    expect((await load(yaml('data: kept/here'))).data).toBe(join(cwd, 'kept', 'here'))
  })
})

describe('what is refused', () => {
  const file = 'homeostat.yaml: '
  const rows: readonly (Scene & { name: string; code?: string; says: string })[] = [
    {
      name: 'a misspelt key',
      ...yaml('prot: 1'),
      code: 'config_key_unknown',
      says: `${file}there is no key "prot". Did you mean "port"?`,
    },
    {
      name: 'a misspelt key in a section',
      ...yaml('mqtt: { topicprefx: a }'),
      code: 'config_key_unknown',
      says: 'there is no key "mqtt.topicprefx". Did you mean "mqtt.topicPrefix"?',
    },
    {
      name: 'a key in the wrong section',
      ...yaml('retrainHours: 3'),
      code: 'config_key_unknown',
      says: 'there is no key "retrainHours". Did you mean "training.retrainHours"?',
    },
    {
      name: 'a misspelt key in a list',
      ...yaml('rules: [{ name: a, metrc: b, above: 1, level: info }]'),
      code: 'config_key_unknown',
      says: 'there is no key "rules[0].metrc". Did you mean "rules[].metric"?',
    },
    {
      name: 'a key like no other, without a guess',
      ...yaml('quetzalcoatl: 1'),
      code: 'config_key_unknown',
      says: 'there is no key "quetzalcoatl".',
    },
    {
      name: 'a misspelt variable',
      env: { HOMEOSTAT_MQTT_PROT: '1' },
      code: 'config_key_unknown',
      says: 'the environment: there is no key "HOMEOSTAT_MQTT_PROT". Did you mean "HOMEOSTAT_MQTT_PORT"?',
    },
    {
      name: 'a misspelt variable in .env',
      files: { '.env': 'HOMEOSTAT_PROT=1' },
      code: 'config_key_unknown',
      says: '.env: there is no key "HOMEOSTAT_PROT". Did you mean "HOMEOSTAT_PORT"?',
    },
    {
      name: 'an unknown key on the command line',
      flags: { 'mqtt.prt': 1 },
      code: 'config_key_unknown',
      says: 'the command line: there is no key "mqtt.prt". Did you mean "mqtt.port"?',
    },
    {
      name: 'a number out of range',
      ...yaml('mqtt: { port: 70000 }'),
      says: `${file}mqtt.port is 70000; it must be a whole number from 0 to 65535.`,
    },
    {
      name: 'text where a number is wanted',
      ...yaml('port: eighty'),
      says: 'port is "eighty"; it must be a whole number from 0 to 65535',
    },
    { name: 'an empty value', ...yaml('port:'), says: 'port is null; it must be a whole number' },
    { name: 'a fraction', ...yaml('port: 80.5'), says: 'port is 80.5; it must be a whole number' },
    {
      name: 'a value that is none of the choices',
      env: { LOG_LEVEL: 'loud' },
      says: 'the environment, LOG_LEVEL: log.level is "loud"; it must be one of trace, debug, info,',
    },
    {
      name: 'a variable out of range, by its name',
      env: { HOMEOSTAT_PORT: '-1' },
      says: 'the environment, HOMEOSTAT_PORT: port is -1; it must be',
    },
    {
      name: 'neither auto nor true nor false',
      ...yaml('demo: { enabled: maybe }'),
      says: 'demo.enabled is "maybe"; it must be true or false or auto',
    },
    {
      name: 'too few days',
      ...yaml('retention: { readingsDays: 0 }'),
      says: 'retention.readingsDays is 0; it must be a number from 1 to 36500 or null',
    },
    {
      name: 'a zone that does not exist',
      ...yaml('site: { zone: Mars/Olympus }'),
      says: 'site.zone is "Mars/Olympus"; it must be an IANA time zone such as Europe/Athens',
    },
    {
      name: 'a prefix with a wildcard',
      ...yaml('mqtt: { topicPrefix: a/# }'),
      says: 'mqtt.topicPrefix is "a/#"; it must be a topic without wildcards',
    },
    {
      name: 'a rule with both thresholds',
      ...yaml('rules: [{ name: a, metric: b, above: 1, below: 2, level: info }]'),
      says: 'rules[0] is a section; it must be a rule with exactly one of above and below',
    },
    {
      name: 'a rule without a metric',
      ...yaml('rules: [{ name: a, above: 1, level: info }]'),
      says: 'rules[0].metric is missing; it must be text of 1 to 64 characters',
    },
    {
      name: 'a turn larger than the inbox',
      ...yaml('limits: { inboxReadings: 10, turnReadings: 20 }'),
      says: 'limits.turnReadings is 20; it must be a number not above limits.inboxReadings',
    },
    {
      name: 'a value where a section belongs, though a variable sets a key of it',
      ...yaml('mqtt: 1883'),
      env: { HOMEOSTAT_MQTT_PORT: '1' },
      says: 'mqtt is 1883; it must be a section of keys',
    },
    { name: 'a list as the whole file', ...yaml('- a'), says: `${file}it must hold keys` },
    {
      name: 'what is not YAML',
      ...yaml('port: 1\nhost: "open\n'),
      says: `${file}line `,
    },
    {
      name: 'a key said twice',
      ...yaml('port: 1\nport: 2'),
      says: 'line 2, column 1 is not YAML (duplicate key)',
    },
    {
      name: 'a named file that is missing',
      file: 'nowhere.yaml',
      code: 'file_unreadable',
      says: 'nowhere.yaml: there is no such file',
    },
    {
      name: 'a folder instead of a file',
      file: '.',
      code: 'file_unreadable',
      says: 'it cannot be read (EISDIR)',
    },
  ]
  it.each(rows)('$name', async ({ code = 'config_invalid', says, ...scene }) => {
    await expect(load(scene)).rejects.toMatchObject({ code, message: expect.stringContaining(says) })
  })

  const secrets: readonly (Scene & { name: string })[] = [
    { name: 'a password that is a number in the file', ...yaml('mqtt: { password: 4711 }') },
    { name: 'a password that is too long', env: { MQTT_PASSWORD: '4711'.repeat(500) } },
    { name: 'a URL with a password in it', ...yaml('mqtt: { url: "http://u:4711@broker" }') },
    { name: 'a section that is a list of secrets', ...yaml('mqtt: [4711]') },
    { name: 'a password that looks like an alias', ...yaml('mqtt:\n  password: *4711') },
    { name: 'a password with an odd quote', ...yaml('mqtt:\n  password: "4711\\q"\n') },
    { name: 'a password behind a tab', ...yaml('mqtt:\n\tpassword: 4711') },
  ]
  it.each(secrets)('without telling the secret: $name', async (scene) => {
    const refusal: unknown = await load(scene).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'config_invalid' })
    expect(JSON.stringify(refusal, Object.getOwnPropertyNames(refusal))).not.toContain('4711')
  })
})

describe('the example', () => {
  const text = exampleYaml(shipped)

  it('names every key with its variable', () => {
    for (const { name, node } of settableKeys) {
      if (node.deprecated) continue
      expect(text).toContain(`[${envName(name)}]`)
      expect(text).toMatch(new RegExp(`^ *# ${name.split('.').at(-1)}:`, 'm'))
    }
  })

  it('changes nothing as it stands', async () => {
    expect(await load(yaml(text))).toStrictEqual(await load({}))
  })

  it('is right where its comments are taken away', async () => {
    const active = text.replace(/^( *)# (( *(- )?\w+:( |$))| +- )/gm, '$1$2')
    const keys: unknown = parse(active)
    expect(keys).toMatchObject({ port: 8000, limits: { bodyBytes: 16_777_216 } })
    expect(keys).toMatchObject({ domains: { thresholds: { rules: [{ above: 1400 }] } } })
    const { domains, mqtt } = await load(
      yaml(
        active.replace(
          /^ *(importFile|zone|url|username|password|latitude|longitude|folder|endpoint|accessKey|secretKey|cert|key|file):$/gm,
          '',
        ),
      ),
    )
    expect(domains['thresholds']?.['rules']).toHaveLength(1)
    expect(mqtt.mappings).toHaveLength(1)
  })
})

it('gives every key a variable of its own', () => {
  const names = settableKeys.map(({ name }) => envName(name))
  expect(new Set(names).size).toBe(names.length)
  expect(names).toContain('HOMEOSTAT_MQTT_TOPIC_PREFIX')
})

describe('settings of domains', () => {
  const damp = z.object({
    humidityMax: z.number().min(0).max(100).default(70).describe('Relative humidity, %.'),
    token: z.string().max(20).optional().meta({ secret: true }).describe('Key of the provider.'),
  })
  const domains: readonly DomainSettings[] = [
    { name: 'damp', settings: damp },
    { name: 'plain', settings: z.object({}) },
  ]
  const refusalOf = (scene: Scene) => load({ ...scene, domains }).catch((error: unknown) => error)

  it('domains: come from the file, over the defaults of their schemas', async () => {
    expect((await load({ domains: [] })).domains).toStrictEqual({})
    expect((await load({ domains })).domains).toStrictEqual({ damp: { humidityMax: 70 }, plain: {} })
    const file = yaml('domains:\n  damp: { humidityMax: 60 }\n  plain:\n')
    expect((await load({ ...file, domains })).domains).toStrictEqual({ damp: { humidityMax: 60 }, plain: {} })
  })

  it('domains: take over the lists of older keys', async () => {
    const rule = (name: string) => `{ name: ${name}, metric: co2, above: 1, level: info }`
    const both = `rules: [${rule('old')}]\ndomains: { thresholds: { rules: [${rule('new')}] } }`
    const config = await load(yaml(both))
    expect(config.domains['thresholds']).toMatchObject({ rules: [{ name: 'new' }, { name: 'old' }] })
    expect(config).not.toHaveProperty('rules')
    expect(await refusalOf(yaml(`rules: [${rule('a')}]`))).toMatchObject({ code: 'config_key_unknown' })
  })

  it('domains: have variables like other keys', async () => {
    const env = { HOMEOSTAT_DOMAINS_DAMP_HUMIDITY_MAX: '55' }
    expect((await load({ env, domains })).domains['damp']).toStrictEqual({ humidityMax: 55 })
    await expect(load({ env: { HOMEOSTAT_DOMAINS_DAMP_HUMIDITY_MX: '1' }, domains })).rejects.toThrow(
      'Did you mean "HOMEOSTAT_DOMAINS_DAMP_HUMIDITY_MAX"?',
    )
  })

  it.each([
    ['domains: { dampp: {} }', 'there is no key "domains.dampp". Did you mean "domains.damp"?'],
    [
      'domains: { damp: { humiditymx: 1 } }',
      'there is no key "domains.damp.humiditymx". Did you mean "domains.damp.humidityMax"?',
    ],
    [
      'domains: { damp: { humidityMax: 101 } }',
      'domains.damp.humidityMax is 101; it must be a number from 0 to 100',
    ],
    ['domains: { plain: { x: 1 } }', 'there is no key "domains.plain.x".'],
    ['domains: { damp: 5 }', 'domains.damp is 5; it must be a section of keys'],
  ])('domains: %s is refused', async (text, message) => {
    expect(await refusalOf(yaml(text))).toMatchObject({ message: expect.stringContaining(message) })
  })

  it('domains: a wrong secret is not repeated', async () => {
    const refusal = await refusalOf(yaml('domains: { damp: { token: 4711 } }'))
    expect(refusal).toMatchObject({ code: 'config_invalid' })
    expect(String(refusal)).not.toContain('4711')
  })

  it('domains: are in the example', () => {
    expect(exampleYaml(domains)).toContain('  damp:\n    # Relative humidity, %. A number from 0 to 100.')
    expect(exampleYaml([])).not.toContain('domains:')
  })
})

describe('.env.example', () => {
  const text = exampleEnv([])

  // one variable a system of each kind; the names are of their documents
  it.each([
    ...['API_PORT', 'LOG_LEVEL', 'MQTT_BROKER_HOST', 'MQTT_BROKER_PORT', 'MQTT_USERNAME', 'MQTT_PASSWORD'],
    ...[
      'MQTT_TOPIC_PREFIX',
      'ML_RETRAIN_HOUR',
      'ML_TRAINING_INTERVAL_HOURS',
      'MODEL_PATH',
      'MODEL_SAVE_SHARED',
    ],
    ...['MODEL_RELOAD_INTERVAL', 'MINIO_ENDPOINT', 'MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY', 'INFLUX_URL'],
    ...['BUCKET_DICT', 'VIZ_COMPONENT_URL', 'DEBUG', 'DATA_FILE', 'OPENSENSEMAP_BOX_ID', 'REDIS_HOST'],
    ...['DATABASE_URL', 'ELECTRICITY_MAPS_API_KEY', 'OPENWEATHER_API_KEY', 'MODEL_SAVE_LOCAL'],
    ...['HOMEOSTAT_PORT', 'HOMEOSTAT_AUTH_TRUSTED_NETWORKS', 'HOMEOSTAT_TLS_CERT'],
  ])('names %s once', (name) => {
    expect(text.split('\n').filter((line) => line.startsWith(`# ${name}=`))).toHaveLength(1)
  })

  it('names the key that each variable of an older system sets', () => {
    const keys = new ConfigKeys(configSchemaOf([]))
    for (const { name, key } of olderNames) {
      const value = name === 'LOG_LEVEL' ? 'DEBUG' : '7'
      const set = settingsOf({ MINIO_ENDPOINT: 'minio:9000', [name]: value }, 'here', keys)
      expect([name, set.map((setting) => setting.key)]).toEqual([name, expect.arrayContaining([key])])
    }
  })
})
