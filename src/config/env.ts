import { listFiles, parse } from 'dotenv-flow'
import { parse as parseYaml } from 'yaml'
import { HomeostatError } from '../core/errors.ts'
import { type ConfigKeys, type KeyNode, nearest } from './keys.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** One value on its way into the configuration: which key, what, and where it was said. */
export interface Setting {
  readonly key: string
  readonly value: unknown
  readonly where: string
}

const prefix = 'HOMEOSTAT_'

/** `mqtt.topicPrefix` is HOMEOSTAT_MQTT_TOPIC_PREFIX. */
export const envName = (key: string): string =>
  prefix +
  key
    .replaceAll('.', '_')
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()

/**
 * Kubernetes gives every container the addresses of the services around it under such names, for a service that is
 * called "homeostat" e.g. HOMEOSTAT_SERVICE_HOST and HOMEOSTAT_PORT=tcp://10.0.0.7:8000. They are not meant for us.
 */
const fromKubernetes = (name: string, value: string): boolean =>
  /^HOMEOSTAT_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP))(_|$)/.test(name) ||
  (name === 'HOMEOSTAT_PORT' && /^(tcp|udp):\/\//.test(value))

/** `.env`, `.env.local`, `.env.NODE_ENV`, `.env.NODE_ENV.local` of a folder, those named later winning, each by itself. */
export function dotenvFiles(folder: string, env: Environment): { where: string; env: Environment }[] {
  const nodeEnv = env['NODE_ENV']
  const files = listFiles({ path: folder, ...(nodeEnv ? { node_env: nodeEnv } : {}) })
  return files.map((file) => ({ where: file, env: parse(file) }))
}

/**
 * What the environment says: HOMEOSTAT_* for every key, over the names that the older systems used.
 * An empty variable counts as absent. Throws `config_key_unknown` for a HOMEOSTAT_ name that is none.
 */
export function settingsOf(env: Environment, where: string, keys: ConfigKeys): Setting[] {
  const keysByEnvName = new Map(keys.settable.map((key) => [envName(key.name), key]))
  const settings = olderSettings(env, where)
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(prefix) || !text || fromKubernetes(name, text)) continue
    const key = keysByEnvName.get(name)
    if (!key) {
      const meant = nearest(name, [...keysByEnvName.keys()])
      const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`
      throw new HomeostatError('config_key_unknown', { where, key: name, hint })
    }
    settings.push({ key: key.name, value: parsed(text, key.node), where: `${where}, ${name}` })
  }
  return settings
}

/** Text of a variable as the key wants it: numbers, true, null and lists are written as in YAML, or JSON. */
function parsed(text: string, node: KeyNode): unknown {
  if (node.type === 'string') return text
  try {
    return parseYaml(text, { logLevel: 'silent' }) as unknown
  } catch {
    return text
  }
}

/** Variables of the older systems that concern a key which exists. */
function olderSettings(env: Environment, where: string): Setting[] {
  const settings: Setting[] = []
  const set = (name: string, key: string, value: (text: string) => unknown): void => {
    const text = env[name]
    if (text) settings.push({ key, value: value(text), where: `${where}, ${name}` })
  }
  const number = (text: string): unknown => parsed(text, { type: 'number' })
  set('API_PORT', 'port', number)
  // also the variable of many libraries, which has names of their parts in it
  if (/^(1|true|yes|on)$/i.test(env['DEBUG'] ?? '')) set('DEBUG', 'log.level', () => 'debug')
  set('DATA_FILE', 'importFile', (path) => path)
  set('LOG_LEVEL', 'log.level', (level) => pythonLevels[level.toUpperCase()] ?? level.toLowerCase())
  const brokerPort = env['MQTT_BROKER_PORT'] || '1883'
  set(
    'MQTT_BROKER_HOST',
    'mqtt.url',
    (host) => `mqtt://${host.includes(':') ? `[${host}]` : host}:${brokerPort}`,
  )
  if (!env['MQTT_BROKER_HOST']) set('MQTT_BROKER_PORT', 'mqtt.port', number)
  set('MQTT_USERNAME', 'mqtt.username', (text) => text)
  set('MQTT_PASSWORD', 'mqtt.password', (text) => text)
  set('MQTT_TOPIC_PREFIX', 'mqtt.topicPrefix', (stem) => stem.replace(/\/*(sensors)?\/*$/, '/sensors'))
  set('ML_RETRAIN_HOUR', 'training.retrainHour', number)
  set('ML_TRAINING_INTERVAL_HOURS', 'training.retrainHours', number)
  set('MODEL_RELOAD_INTERVAL', 'artifacts.reloadSeconds', number)
  // a file there, a folder of versions here
  set('MODEL_PATH', 'artifacts.folder', (path) => path.replace(/\/[^/]*\.\w+$/, '') || path)
  const shared = (env['MODEL_SAVE_SHARED'] || 'true').toLowerCase() !== 'false'
  if (shared && env['MINIO_ENDPOINT']) set('MINIO_ENDPOINT', 'artifacts.store', () => 's3')
  set('MINIO_ENDPOINT', 'artifacts.endpoint', (host) => (/^https?:\/\//.test(host) ? host : `http://${host}`))
  set('MINIO_ACCESS_KEY', 'artifacts.accessKey', (text) => text)
  set('MINIO_SECRET_KEY', 'artifacts.secretKey', (text) => text)
  return settings
}

/** Levels of Python's logging that are not called the same here. */
const pythonLevels: Readonly<Record<string, string>> = { WARNING: 'warn', CRITICAL: 'fatal', NOTSET: 'trace' }

/** Variables of the older systems and the keys that they set, for the example file. A test compares it with what they do. */
export const olderNames: readonly { readonly name: string; readonly key: string }[] = [
  { name: 'API_PORT', key: 'port' },
  { name: 'LOG_LEVEL', key: 'log.level' },
  { name: 'MQTT_BROKER_HOST', key: 'mqtt.url' },
  { name: 'MQTT_BROKER_PORT', key: 'mqtt.port' },
  { name: 'MQTT_USERNAME', key: 'mqtt.username' },
  { name: 'MQTT_PASSWORD', key: 'mqtt.password' },
  { name: 'MQTT_TOPIC_PREFIX', key: 'mqtt.topicPrefix' },
  { name: 'ML_RETRAIN_HOUR', key: 'training.retrainHour' },
  { name: 'ML_TRAINING_INTERVAL_HOURS', key: 'training.retrainHours' },
  { name: 'MODEL_RELOAD_INTERVAL', key: 'artifacts.reloadSeconds' },
  { name: 'MODEL_PATH', key: 'artifacts.folder' },
  { name: 'MINIO_ENDPOINT', key: 'artifacts.store' },
  { name: 'MINIO_ACCESS_KEY', key: 'artifacts.accessKey' },
  { name: 'MINIO_SECRET_KEY', key: 'artifacts.secretKey' },
  { name: 'MODEL_SAVE_SHARED', key: 'artifacts.store' },
]
