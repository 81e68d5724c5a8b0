import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makePlace, type Place, patienceMs, posting, requireBuild } from './cli.ts'

/** `homeostat devices`: on the folder, and through the hub that holds it. */

vi.setConfig({ testTimeout: patienceMs })

let place: Place
beforeEach(async () => {
  requireBuild()
  place = await makePlace()
})
afterEach(() => place.clear())

const importFile = async (): Promise<void> => {
  const rows = ['timestamp,device,metric,value,unit']
  for (const [index, device] of ['lamp', 'zigbee/old lamp'].entries())
    for (let minute = 0; minute < 3; minute++)
      rows.push(`2026-03-02T10:0${minute + 3 * index}:00Z,${device},power,${minute + 1},W`)
  const file = place.write('power.csv', `${rows.join('\n')}\n`)
  expect(await place.run('import', file)).toMatchObject({ code: 0, error: '' })
}

const json = async (...words: string[]) => JSON.parse((await place.run('devices', ...words, '--json')).out)

describe('homeostat devices', () => {
  test('names, places, merges, deletes and restores devices of a folder without a hub', async () => {
    expect(await place.run('devices', 'list')).toMatchObject({ code: 4, out: '' })
    await importFile()
    const old = 'zigbee/old lamp'
    expect((await place.run('devices', 'rename', old, 'Old lamp')).out).toContain('named Old lamp')
    const set = await place.run(
      'devices',
      'set',
      'lamp',
      '--room',
      'hall',
      '--role',
      'device',
      '--type',
      'light',
    )
    expect([set.code, set.out]).toEqual([0, 'home/lamp: room hall, type light, role device.\n'])
    expect((await place.run('devices', 'hide', 'lamp')).out).toContain('hidden')
    expect((await place.run('devices', 'hide', 'lamp', '--show')).out).not.toContain('hidden')
    const list = await place.run('devices', 'list')
    expect(list.out).toMatch(/^ +home +zigbee\/old lamp +Old lamp /m)

    const merged = await place.run('devices', 'merge', old, 'lamp')
    expect([merged.code, merged.out]).toEqual([
      0,
      expect.stringMatching(
        /^home\/zigbee\/old lamp is merged into lamp\. Until \S+ \S+ UTC it can be restored: /,
      ),
    ])
    const deleted = await place.run('devices', 'delete', 'lamp')
    expect(deleted.out).toMatch(/^home\/lamp is deleted\. Until /)
    expect((await place.run('devices', 'list')).out).toBe('There are no devices.\n')
    const { removals } = await json('removed')
    expect(removals.map(({ kind }: { kind: string }) => kind)).toEqual(['deleted', 'merged'])
    const blocked = await place.run('devices', 'restore', old)
    expect([blocked.code, blocked.error]).toEqual([5, expect.stringContaining('undo that first')])
    expect((await place.run('devices', 'restore', 'lamp')).out).toBe('home/lamp is restored.\n')
    expect((await place.run('devices', 'restore', removals[1].id)).code).toBe(0)
    expect((await json('list')).devices).toMatchObject([
      { id: 'lamp', room: 'hall', role: 'device', type: 'light' },
      { id: old, name: 'Old lamp' },
    ])
    expect((await place.run('devices', 'removed')).out).toBe('There is nothing to restore.\n')
  })

  test('refuses with a sentence and an exit code what cannot be done', async () => {
    await importFile()
    const said = async (...words: string[]) => {
      const { code, out, error } = await place.run('devices', ...words)
      return [code, out, error]
    }
    expect(await said('delete', 'tv')).toEqual([4, '', 'There is no device "tv".\n'])
    expect(await said('delete', 'lamp', '--metric', 'co2')).toEqual([
      ...[4, ''],
      'There is no series home/lamp/co2.\n',
    ])
    expect(await said('merge', 'lamp', 'lamp')).toEqual([2, '', expect.stringContaining('into itself')])
    expect(await said('set', 'lamp')).toEqual([2, '', expect.stringContaining('Say what to set')])
    expect(await said('set', 'lamp', '--role', 'oven')).toEqual([2, '', expect.stringContaining('role')])
    expect(await said('restore', 'lamp')).toEqual([
      4,
      '',
      expect.stringContaining('There is no removal "lamp"'),
    ])
    expect((await place.run('devices', 'rename', 'lamp')).code).toBe(2)
  })

  test('asks the hub that holds the folder, whose device appears anew when it sends again', async () => {
    await importFile()
    const hub = await place.serve('--no-demo')
    const rows = [{ device: 'lamp', metric: 'power', unit: 'W', value: 5 }]
    expect((await place.run('devices', 'rename', 'lamp', 'Lamp')).code).toBe(0)
    expect((await place.run('devices', 'delete', 'lamp')).code).toBe(0)
    await hub.ask('/api/v1/readings', posting(rows))
    const { body } = await hub.ask('/api/v1/readings?device=lamp')
    expect(body).toMatchObject({ items: [{ value: 5 }] })
    expect(await hub.stop()).toBe(0)
    const again = await place.serve('--no-demo')
    expect((await json('list')).devices).toMatchObject([{ id: 'lamp' }, { id: 'zigbee/old lamp' }])
    expect((await place.run('devices', 'restore', 'lamp')).code).toBe(0)
    expect((await json('list')).devices[0]).toMatchObject({ id: 'lamp', name: 'Lamp' })
    const all = await again.ask('/api/v1/readings?device=lamp')
    expect((all.body as { items: { value: number }[] }).items.map(({ value }) => value)).toEqual([1, 2, 3, 5])
  })
})
