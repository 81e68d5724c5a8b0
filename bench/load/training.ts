import { setTimeout as sleep } from 'node:timers/promises'
import type { HubProcess } from '../../test/servers/hub.ts'

/**
 * Asks for training of all there is over and over: what has just been learnt waits for its turn again, so that the
 * workers never rest. `stop` answers the share of looks at which a model was in training.
 */
export function keepTraining(hub: HubProcess): { stop(): Promise<number> } {
  let stopped = false
  let [looks, seen] = [0, 0]
  const loop = async (): Promise<void> => {
    while (!stopped) {
      looks++
      if ((await hub.metric('homeostat_training')) > 0) seen++
      await (await fetch(`${hub.url}/api/v1/train`, { method: 'POST' })).arrayBuffer()
      await sleep(200)
    }
  }
  const done = loop()
  return {
    stop: async () => {
      stopped = true
      await done
      return looks === 0 ? 0 : seen / looks
    },
  }
}
