import { envName, olderNames } from './env.ts'
import { ConfigKeys } from './keys.ts'
import { configSchemaOf, type DomainSettings } from './schema.ts'

const header = `# .env: settings as variables. Copy to .env (or .env.local, which is not committed) and fill in what you need.
# The environment wins over .env files, these over homeostat.yaml. Every HOMEOSTAT_ variable with its meaning and limits
# is in docs/homeostat.example.yaml.
`

/** Variables of the older systems that set nothing here, and why. */
const withoutKey: readonly (readonly [names: string, why: string])[] = [
  [
    'INFLUX_HOST INFLUX_URL INFLUX_TOKEN INFLUX_USER INFLUX_PASS INFLUX_ORG',
    'readings are stored by the hub itself',
  ],
  ['BUCKET_DICT', 'series are named by site, device and metric'],
  ['FETCHED_DATA_FOR_RETRAINING_HOURS', 'a training takes the whole history'],
  ['VIZ_COMPONENT_URL SCH_SERVICE_NAME', 'page and gateway are parts of the hub'],
  ['DEBUG', 'see LOG_LEVEL'],
  ['DATA_FILE TRAIN_DATA_PATH', 'homeostat import FILE'],
  ['PREDICTOR_URL MODEL_OUTPUT_PATH MODEL_SAVE_LOCAL', 'models are learnt and served by the hub itself'],
  ['OPENSENSEMAP_BOX_ID OPENSENSEMAP_BASE_URL ANOMALY_THRESHOLD', 'not fetched by this version'],
  [
    'REDIS_HOST REDIS_PORT DATABASE_URL DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD',
    'everything is in the data folder',
  ],
  ['ELECTRICITY_MAPS_API_KEY OPENWEATHER_API_KEY LOCATION_ZONE', 'not fetched by this version'],
]

/** Every variable of the older systems, with the key that it sets, then those of the hub. */
export function exampleEnv(domains: readonly DomainSettings[]): string {
  const older = olderNames.map(({ name, key }) => `# ${name}=   # ${key}`)
  const known = new Set(olderNames.map(({ name }) => name))
  const unused = withoutKey.flatMap(([names, why]) =>
    names
      .split(' ')
      .filter((name) => !known.has(name))
      .map((name) => `# ${name}=   # has no effect: ${why}`),
  )
  const keys = new ConfigKeys(configSchemaOf(domains)).settable.filter(({ node }) => !node.deprecated)
  const own = keys.map(({ name }) => `# ${envName(name)}=`)
  return [header, '# Of the older systems', ...[...older, ...unused], '', '# Of Homeostat', ...own, ''].join(
    '\n',
  )
}
