import { type HubProcess, startHub } from '../test/servers/hub.ts'
import { cpuSecondsOf } from './load/cpu.ts'
import { noteOthers } from './load/machine.ts'
import { runLoad } from './load/run.ts'
import { type LoadResult, layoutOn } from './load/spec.ts'
import { type Report, round } from './report.ts'

const perSecond = 2000
const devices = 1000

/** What a steady stream of single messages costs a hub, and how long each waits for its acknowledgement. */
export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const hub = await startHub()
  try {
    // compiles what is hot, and makes the series known
    await send(hub, 5)
    const seconds = isQuick ? 10 : 25
    const others = noteOthers()
    const [cpu, turns] = [cpuSecondsOf([hub.pid]), await hub.metric(turnsTotal)]
    const { p50Ms, p99Ms, seconds: elapsed } = await send(hub, seconds)
    const share = (100 * (cpuSecondsOf([hub.pid]) - cpu)) / elapsed
    const messages = (perSecond * seconds) / ((await hub.metric(turnsTotal)) - turns)
    const name = '2,000 single messages a second, MQTT QoS 1'
    const note = `${devices} series for ${seconds} s; ${round(messages)} messages a commit; ${others()}`
    report({
      ...{ bench: 'steady', name: `${name}: share of a processor`, value: round(share), unit: '%' },
      ...{ target: 35, note },
    })
    report({ bench: 'steady', name: `${name}: to the acknowledgement, p50`, value: round(p50Ms), unit: 'ms' })
    report({ bench: 'steady', name: `${name}: to the acknowledgement, p99`, value: round(p99Ms), unit: 'ms' })
  } finally {
    await hub.stop()
  }
}

const turnsTotal = 'homeostat_turns_total'

async function send(hub: HubProcess, seconds: number): Promise<LoadResult> {
  const result = await runLoad({
    ...{ kind: 'steady-mqtt', port: hub.mqttPort, perSecond, seconds, maxSeconds: seconds + 30 },
    ...layoutOn(perSecond * seconds, 'steady-', devices),
  })
  if (result.cut) throw new Error(result.complaint)
  return result
}
