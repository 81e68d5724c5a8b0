import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, stopProcess, temporaryFolder } from '../../test/servers.ts'

const cache = fileURLToPath(new URL('.cache', import.meta.url))
/** Another folder when the plugins change, so that a binary without them is not taken. */
const folder = 'bin-2'
const binary = join(cache, folder, 'telegraf')
const source = 'github.com/influxdata/telegraf/cmd/telegraf@v1.34.0'
const plugins = [
  ...['inputs.file', 'inputs.mqtt_consumer', 'outputs.influxdb', 'outputs.influxdb_v2'],
  ...['parsers.influx', 'parsers.json'],
]

/**
 * Builds Telegraf 1.34 with the plugins that chain and tests need, once, into the git-ignored cache.
 * Resolves with why there is none where it cannot be built.
 */
export async function telegrafOrReason(): Promise<{ readonly binary: string } | { readonly reason: string }> {
  if (existsSync(binary)) return { binary }
  const folders = { GOBIN: folder, GOTMPDIR: 'tmp', GOPATH: 'gopath', GOCACHE: 'gocache' }
  const env: NodeJS.ProcessEnv = { ...process.env, GOFLAGS: '-buildvcs=false' }
  for (const [name, path] of Object.entries(folders)) {
    env[name] = join(cache, path)
    mkdirSync(join(cache, path), { recursive: true })
  }
  console.error(`building ${source} into bench/peers/.cache (once, some minutes)`)
  const tags = ['custom', ...plugins].join(',')
  const build = spawn('nice', ['-n', '10', 'go', 'install', '-tags', tags, source], { env })
  let told = ''
  build.stderr.on('data', (chunk: Buffer) => {
    told = (told + chunk.toString()).slice(-500)
  })
  await new Promise<void>((resolve) => {
    build.once('error', (error) => {
      told = error.message
      resolve()
    })
    build.once('close', () => resolve())
  })
  if (existsSync(binary)) return { binary }
  return { reason: `Telegraf could not be built with go install: ${told}` }
}

/** Runs Telegraf on a configuration until it has read its inputs once and written them. Resolves with what it told. */
export async function telegrafOnce(program: string, config: string): Promise<string> {
  const made = temporaryFolder('telegraf')
  const file = join(made.path, 'telegraf.conf')
  await writeFile(file, config)
  const started = startProcess(program, ['--config', file, '--once'])
  await started.ended
  made.remove()
  return started.tail
}

/** Telegraf between an MQTT broker and an InfluxDB 1.x, reading what HyperVolt sensors send. */
export async function startTelegraf(
  binary: string,
  brokerPort: number,
  influxUrl: string,
  database: string,
): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const made = temporaryFolder('telegraf')
  const config = join(made.path, 'telegraf.conf')
  // batch and buffers as someone sets them who wants throughput; QoS 1 is acknowledged after InfluxDB has taken it
  const text = `
[agent]
  metric_batch_size = 5000
  metric_buffer_limit = 1000000
  flush_interval = "1s"
  omit_hostname = true
  quiet = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:${brokerPort}"]
  topics = ["HyperVolt/sensors/#"]
  qos = 1
  client_id = "telegraf"
  max_undelivered_messages = 100000
  topic_tag = ""
  name_override = "reading"
  data_format = "json"
  tag_keys = ["sensor_type", "sensor_id", "location", "unit"]
  json_time_key = "timestamp"
  json_time_format = "2006-01-02T15:04:05.000Z07:00"
[[outputs.influxdb]]
  urls = ["${influxUrl}"]
  database = "${database}"
  skip_database_creation = true
  timeout = "30s"
  content_encoding = "identity"
`
  await writeFile(config, text)
  const started = startProcess(binary, ['--config', config])
  return {
    pid: started.child.pid ?? 0,
    stop: async () => {
      await stopProcess(started)
      made.remove()
    },
  }
}
