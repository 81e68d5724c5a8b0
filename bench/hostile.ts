import { setTimeout as sleep } from 'node:timers/promises'
import { type HubProcess, startHub } from '../test/servers/hub.ts'
import { type Report, round } from './report.ts'

const mb = 1024 * 1024
const pingEveryMs = 5

const bodies: readonly (readonly [string, () => string])[] = [
  ['15 MB of [[],[],...]', () => `[${'[],'.repeat(5 * mb)}[]]`],
  ['15 MB of [{},{},...]', () => `[${'{},'.repeat(5 * mb)}{}]`],
  ['2 MB of lists in lists', () => `${'['.repeat(mb)}${']'.repeat(mb)}`],
  [
    'an object of 900,000 keys',
    () => `{${Array.from({ length: 900_000 }, (_, i) => `"k${i}":1`).join(',')}}`,
  ],
  ['a text of 15 MB', () => `["${'x'.repeat(15 * mb)}"]`],
  [
    'a batch of 10,000 good readings',
    () =>
      JSON.stringify(
        Array.from({ length: 10_000 }, (_, i) => ({
          ...{ device: `d${i % 100}`, metric: 'temperature', value: i, unit: 'degC', at: Date.now() - i },
        })),
      ),
  ],
]

/** How long one request can keep the hub from answering others: the longest of small requests sent meanwhile. */
export async function run(report: Report): Promise<void> {
  for (const [name, make] of [['nothing', () => ''], ...bodies] as typeof bodies) {
    // a hub each: what one body leaves in memory must not be counted for the next
    const hub = await startHub()
    try {
      for (let request = 0; request < 50; request++) await ping(hub)
      const before = hub.memory().now
      const body = Buffer.from(make())
      const meanwhile = longestPing(hub)
      const answer = await fetch(`${hub.url}/api/v1/readings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      }).then(
        ({ status }) => `status ${status}`,
        () => 'cut off',
      )
      if (body.length === 0) await sleep(2000)
      const longest = await meanwhile.stop()
      const end = hub.exitCode() === null ? '' : '; the hub ended'
      const grown = Math.round(hub.memory().most - before)
      report({
        ...{ bench: 'hostile', name: `longest stall by ${name}`, value: round(longest), unit: 'ms' },
        ...{ target: 100, note: `${answer}; memory grew by up to ${grown} MB${end}` },
      })
    } finally {
      await hub.stop()
    }
  }
}

/** Milliseconds until it is answered, or until the hub is gone. */
async function ping(hub: HubProcess): Promise<number> {
  const begun = performance.now()
  await fetch(`${hub.url}/livez`).then(
    (answer) => answer.arrayBuffer(),
    () => undefined,
  )
  return performance.now() - begun
}

function longestPing(hub: HubProcess): { stop(): Promise<number> } {
  let isOver = false
  const longest = (async () => {
    let most = 0
    while (!isOver) {
      most = Math.max(most, await ping(hub))
      await sleep(pingEveryMs)
    }
    return most
  })()
  return {
    stop() {
      isOver = true
      return longest
    },
  }
}
