import { beforeEach, describe, expect, it } from 'vitest'
import { began, LifecycleWorld, weightOf } from '../../../test/crash/lifecycle-kit.ts'
import { fridge, modelOf } from '../../../test/crash/registry-kit.ts'
import type { Card } from '../../core/event.ts'
import { naiveVersion } from '../../core/life.ts'

let world: LifecycleWorld
beforeEach(() => {
  world = new LifecycleWorld()
})

type Outcome = Card['verdict']['status']

describe('what the gate says', () => {
  it.each<[Outcome, string | undefined]>([
    ['live', 'v2'],
    ['challenger', 'v1'],
    ['rejected', 'v1'],
  ])('%s is where the version stands, and by whom', async (verdict, live) => {
    await world.learn('v1')
    expect(await world.learn('v2', verdict)).toMatchObject({
      ...{ status: verdict, reason: `Verdict: ${verdict}.`, since: began + 120_000 },
    })
    expect(world.statuses()).toEqual({ v1: verdict === 'live' ? 'retired' : 'live', v2: verdict })
    expect(await world.liveVersion()).toBe(live)
    expect(await world.answer()).toEqual([live, weightOf(live!)])
    expect(await world.history()).toContain(`v2 ${verdict} gate`)
    expect(await world.ledger.models.of(fridge)).toEqual(world.lifecycle.entries(fridge))
  })

  it('retires the one that was live, and has the series forecast anew', async () => {
    await world.learn('v1')
    world.changed = []
    await world.learn('v2')
    expect(world.reasonOf('v1')).toBe('Replaced by v2.')
    expect(world.lifecycle.predecessor(fridge)?.card.model.version).toBe('v1')
    expect(world.changed).toEqual(['fridge'])
    expect(world.lifecycle.anyLive).toBe(true)
  })

  it('is overruled by force, which names who and what the gate had said', async () => {
    await world.learn('v1')
    await world.learn('v2', 'rejected', { by: 'olga', force: true })
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'live' })
    expect(world.reasonOf('v2')).toBe('Live by force (olga), against the gate: Verdict: rejected.')
    expect(await world.history()).toEqual(['v1 live gate', 'v2 live olga', 'v1 retired olga'])
  })

  it('is the word of the gate where force was not needed', async () => {
    await world.learn('v1', 'live', { by: 'olga', force: true })
    expect(world.reasonOf('v1')).toBe('Verdict: live.')
    expect(await world.history()).toEqual(['v1 live gate'])
  })
})

describe('a challenger', () => {
  beforeEach(async () => {
    await world.learn('v1')
    await world.learn('v2', 'challenger')
  })

  it('speaks in shadow, as does the one that was live before', async () => {
    const shadows = async () => (await world.lifecycle.shadows(fridge)).map(({ card }) => card.model.version)
    expect(await shadows()).toEqual(['v2'])
    await world.promote('v2')
    expect(await shadows()).toEqual(['v1'])
  })

  it('is let be until it is decided: the next one is rejected', async () => {
    await world.learn('v3', 'challenger')
    expect(world.statuses()).toEqual({ v1: 'live', v2: 'challenger', v3: 'rejected' })
    expect(world.reasonOf('v3')).toBe('Another challenger is being tried. Verdict: challenger.')
  })

  it('is rejected when another one goes live, also where it was tried against the one before', async () => {
    await world.learn('v3')
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'rejected', v3: 'live' })
    expect(world.reasonOf('v2')).toBe('Undecided when v3 went live.')
  })

  it('is rejected when it was not better, with the reason', async () => {
    await world.lifecycle.drop(fridge, 'v2', 'It was no better in 28 days.')
    expect(world.statuses()).toEqual({ v1: 'live', v2: 'rejected' })
    expect(world.reasonOf('v2')).toBe('It was no better in 28 days.')
    expect(await world.history()).toContain('v2 rejected shadow')
  })

  it('is not taken down by a late word when somebody made it live meanwhile', async () => {
    await Promise.all([world.promote('v2'), world.lifecycle.drop(fridge, 'v2', 'It was no better.')])
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'live' })
  })
})

describe('to promote', () => {
  beforeEach(async () => {
    await world.learn('v1')
    await world.learn('v2')
    await world.learn('v3', 'rejected')
  })

  it('one that was live before needs no force', async () => {
    expect(await world.answer()).toEqual(['v2', weightOf('v2')])
    expect(await world.promote('v1')).toMatchObject({ status: 'live', reason: 'Wanted.' })
    expect(world.statuses()).toEqual({ v1: 'live', v2: 'retired', v3: 'rejected' })
    expect(await world.answer()).toEqual(['v1', weightOf('v1')])
    expect((await world.history()).slice(-2)).toEqual(['v1 live olga', 'v2 retired olga'])
  })

  it('one that the gate rejected needs force, and nothing moves without it', async () => {
    await expect(world.promote('v3')).rejects.toMatchObject({
      code: 'not_acceptable_state',
      message: 'The model v3 did not pass the gate (Verdict: rejected.); it goes live by force only.',
    })
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'live', v3: 'rejected' })
    await world.promote('v3', true)
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'retired', v3: 'live' })
    expect((await world.history()).slice(-2)).toEqual(['v3 live olga', 'v2 retired olga'])
  })

  it('one that is live changes nothing, also in the history', async () => {
    const before = await world.history()
    expect(await world.promote('v2')).toMatchObject({ status: 'live', reason: 'Verdict: live.' })
    expect(await world.history()).toEqual(before)
  })

  it('one that is unknown names those that there are', async () => {
    await expect(world.promote('v9')).rejects.toMatchObject({
      code: 'model_missing',
      message: 'There is no model of home/energy/fridge v9: there are v3, v2, v1.',
    })
  })

  it('one that is damaged refuses it, once, and never takes it again, not even by force', async () => {
    await world.damage('v1')
    const bytes = modelOf('v1').body.length
    const why = `model.json has 10 bytes instead of ${bytes}; it may be cut short.`
    for (const force of [false, true, true])
      await expect(world.promote('v1', force)).rejects.toMatchObject({
        code: 'model_refused',
        message: `The model home/energy/fridge v1 is refused: ${why}`,
      })
    await expect(world.rollBack('v1')).rejects.toMatchObject({ code: 'model_refused' })
    expect(world.statuses()).toEqual({ v1: 'refused', v2: 'live', v3: 'rejected' })
    expect(world.reasonOf('v1')).toBe(why)
    expect((await world.history()).filter((line) => line.startsWith('v1 refused'))).toEqual([
      'v1 refused registry',
    ])
    expect(await world.liveVersion()).toBe('v2')
  })

  it('one whose files are whole but that does not open is refused, too', async () => {
    const odd = { ...world.candidate('v4', 'rejected'), body: '{}' }
    await world.lifecycle.add(odd, { by: 'schedule' })
    await expect(world.promote('v4', true)).rejects.toThrow(/it has no weights/)
    expect(world.statuses()).toMatchObject({ v2: 'live', v4: 'refused' })
    expect(world.reasonOf('v4')).toBe('it has no weights.')
  })
})

describe('a roll-back', () => {
  it('goes to the one before, then to the naive forecast, then nowhere', async () => {
    await world.learn('v1')
    await world.learn('v2')
    expect(await world.answer()).toEqual(['v2', weightOf('v2')])
    expect(await world.rollBack()).toBe('v1')
    expect(world.statuses()).toEqual({ v1: 'live', v2: 'rejected' })
    expect(await world.answer()).toEqual(['v1', weightOf('v1')])
    expect(await world.rollBack()).toBe(naiveVersion)
    expect(world.statuses()).toEqual({ v1: 'rejected', v2: 'rejected' })
    expect(await world.liveVersion()).toBeUndefined()
    expect(world.lifecycle.anyLive).toBe(false)
    await expect(world.answer()).rejects.toMatchObject({ code: 'model_missing' })
    await expect(world.rollBack()).rejects.toMatchObject({
      code: 'model_missing',
      message: /home\/energy\/fridge: no learnt model is live/,
    })
  })

  it('is one move each, with the name of who wanted it', async () => {
    await world.learn('v1')
    await world.learn('v2')
    await world.rollBack()
    expect((await world.history()).slice(-2)).toEqual(['v1 live olga', 'v2 rejected olga'])
    expect(world.reasonOf('v2')).toBe('It was worse.')
  })

  it('goes to the naive forecast at once where that is asked for', async () => {
    await world.learn('v1')
    await world.learn('v2')
    expect(await world.rollBack(naiveVersion)).toBe(naiveVersion)
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'rejected' })
    await world.restart()
    expect(await world.liveVersion()).toBeUndefined()
  })

  it.each([
    ['v4', 'not_acceptable_state', /it is rejected \(Verdict: rejected\.\); promote it instead/],
    ['v3', 'not_acceptable_state', /v3 is live already/],
    ['v9', 'model_missing', /no such version/],
  ])('to %s is %s', async (to, code, message) => {
    for (const version of ['v1', 'v2', 'v3']) await world.learn(version)
    await world.learn('v4', 'rejected')
    await expect(world.rollBack(to)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'retired', v3: 'live', v4: 'rejected' })
    expect(await world.liveVersion()).toBe('v3')
  })

  it('takes a version for good: neither a roll-back nor damage brings it back', async () => {
    for (const version of ['v1', 'v2', 'v3']) await world.learn(version)
    expect(await world.rollBack()).toBe('v2')
    expect(world.lifecycle.predecessor(fridge)?.card.model.version).toBe('v1')
    expect(await world.liveVersion()).toBe('v2')
    await world.damage('v2')
    // what was opened is not read again
    expect(await world.liveVersion()).toBe('v2')
    await world.restart()
    expect(await world.liveVersion()).toBe('v1')
    expect(world.statuses()).toEqual({ v1: 'live', v2: 'refused', v3: 'rejected' })
    await world.damage('v1')
    await world.restart()
    expect(await world.liveVersion()).toBeUndefined()
    expect(world.statuses()).toEqual({ v1: 'refused', v2: 'refused', v3: 'rejected' })
  })
})

describe('moves at the same time', () => {
  it('follow each other: as many trainings as there may be, one of them live', async () => {
    const made = ['v1', 'v2', 'v3', 'v4'].map((version) =>
      world.lifecycle.add(world.candidate(version), { by: 'schedule' }),
    )
    await Promise.all(made)
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'retired', v3: 'retired', v4: 'live' })
    expect(await world.answer()).toEqual(['v4', weightOf('v4')])
    await world.restart()
    expect(await world.liveVersion()).toBe('v4')
  })

  it('are each judged by what the one before it left', async () => {
    for (const version of ['v1', 'v2', 'v3']) await world.learn(version)
    const [first, second] = await Promise.allSettled([world.rollBack('v1'), world.rollBack('v1')])
    expect([first.status, second.status]).toEqual(['fulfilled', 'rejected'])
    expect(world.statuses()).toEqual({ v1: 'live', v2: 'retired', v3: 'rejected' })
  })

  it('go on after one that failed', async () => {
    await world.learn('v1')
    const [missing, learnt] = await Promise.allSettled([world.promote('v9'), world.learn('v2')])
    expect([missing.status, learnt.status]).toEqual(['rejected', 'fulfilled'])
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'live' })
  })

  it('open a model once, however many ask for it first', async () => {
    await world.learn('v1')
    await world.restart()
    await world.liveVersion()
    world.opened = []
    await Promise.all(Array.from({ length: 20 }, () => world.answer()))
    expect(world.opened).toEqual(['v1'])
  })

  it('never leave a question unanswered, nor an answer to another version than it names', async () => {
    for (const version of ['v1', 'v2']) await world.learn(version)
    const asked = Array.from({ length: 50 }, (_, index) => {
      if (index % 10 === 0) void world.promote(index % 20 === 0 ? 'v1' : 'v2')
      return world.answer()
    })
    for (const [version, said] of await Promise.all(asked)) expect(said).toBe(weightOf(version))
  })
})

it('the naive forecast has a card of its own only where no learnt model is live', async () => {
  const naive = modelOf(naiveVersion, fridge, {
    model: { name: 'energy-naive', version: naiveVersion, kind: 'naive' },
  }).card
  const entry = { card: naive, status: 'live', reason: 'Too little history.', since: began } as const
  await world.lifecycle.naive([entry])
  expect([world.statuses(), world.lifecycle.anyLive]).toEqual([{ naive: 'live' }, false])
  await world.learn('v1')
  expect(world.statuses()).toEqual({ naive: 'retired', v1: 'live' })
  await world.lifecycle.naive([entry])
  expect(world.statuses()).toEqual({ naive: 'retired', v1: 'live' })
  // it is nothing to go back to by itself, and nothing that is trimmed
  expect(world.lifecycle.predecessor(fridge)).toBeUndefined()
})
