import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { isLoopbackName } from '../api/networks.ts'
import { createHubLog } from '../platform/log.ts'
import { type ConfigFlags, configFileOf, configFlags, configOf, parsePort, stopSignal } from './flags.ts'

interface ServeFlags extends ConfigFlags {
  readonly host?: string
  readonly port?: number
  readonly mqttPort?: number
  readonly demo: boolean
  readonly acceptLoss?: boolean
}

/** A stop that takes longer is cut short: what was acknowledged is on disk anyway. */
const stopMsMax = 10_000

/** Adds `serve`, the default command. */
export function serveCommand(program: Command, version: string): void {
  configFlags(program.command('serve', { isDefault: true }).description('run the hub (default)'))
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <n>', 'port of the page and the API (default: 8000)', parsePort)
    .option('--mqtt-port <n>', 'port of the MQTT broker (default: 1883)', parsePort)
    .option('--no-demo', 'no simulated home while there is no real reading')
    .option('--accept-loss', 'go on without what the data folder has lost, after a start was refused for it')
    // as the default command it gets every word that is no command
    .allowExcessArguments()
    .action((flags: ServeFlags, command: Command) => {
      const [word] = command.args
      if (word !== undefined) command.error(`error: unknown command '${word}'; see homeostat --help`)
      return serve(flags, version)
    })
}

async function serve(flags: ServeFlags, version: string): Promise<void> {
  const config = configOf(flags, {
    host: flags.host,
    port: flags.port,
    'mqtt.port': flags.mqttPort,
    'demo.enabled': flags.demo ? undefined : false,
  })
  const log = createHubLog(config.log)
  const { signal, release } = stopSignal()
  // loaded here, so that commands that need no hub answer at once
  const [{ startHub }, { importAtStart }] = await Promise.all([
    import('../main.ts'),
    import('./import-at-start.ts'),
  ])
  const hub = await startHub(config, {
    log,
    version,
    configFile: configFileOf(flags),
    acceptLoss: flags.acceptLoss,
    webFolder: fileURLToPath(new URL('../web', import.meta.url)),
  })
  const mqtt =
    config.mqtt.enabled && config.mqtt.url === undefined
      ? `, MQTT on ${config.mqtt.host}:${config.mqtt.port}`
      : ''
  const mqttNote =
    mqtt !== '' && !isLoopbackName(config.host) && isLoopbackName(config.mqtt.host)
      ? `MQTT takes this machine's clients only; for others set mqtt.host, too (HOMEOSTAT_MQTT_HOST=${config.host}).\n`
      : ''
  process.stdout.write(
    `Homeostat ${version} on ${hub.url}${mqtt}, data in ${config.data}. Stop with Ctrl+C.\n${mqttNote}`,
  )
  // the hub takes readings meanwhile
  const importing = importAtStart(config, log, signal)
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  log.info('Stopping.')
  const limit = setTimeout(() => {
    log.error('The stop took too long and was cut short; nothing acknowledged is lost.')
    process.exit(1)
  }, stopMsMax)
  await importing
  await hub.close()
  clearTimeout(limit)
  release()
}
