import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkKey } from '../../stores/artifacts/keys.ts'
import { folderOf, keptRoot, segmentOf } from './registry-names.ts'

describe('the segment of an id', () => {
  it('is the id itself where it is made of small letters, digits, - and _', async () => {
    expect(await segmentOf('living-room_2')).toBe('living-room_2')
  })

  it('escapes all else by the bytes of its UTF-8', async () => {
    expect(await segmentOf('Küche 1/2')).toBe('~4b~c3~bcche~201~2f2')
    expect(await segmentOf('..')).toBe('~2e~2e')
    expect(await segmentOf('~4b')).toBe('~7e4b')
  })

  it('says the whole of a short id: it can be read back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), async (id) => {
        const segment = await segmentOf(id)
        if (!segment.includes('~~')) expect(decodeURIComponent(segment.replaceAll('~', '%'))).toBe(id)
      }),
      { seed: 1 },
    )
  })

  it('differs between different ids on every disk, also on one that holds capitals for small letters', async () => {
    const ids = ['home', 'Home', 'HOME', 'ho.me', 'ho~me', 'hömé', 'hömé'.normalize('NFD'), 'home ', 'ho/me']
    const long = 'Ü'.repeat(128)
    const all = [...ids, long, `${long.slice(1)}A`, long.slice(1), 'a'.repeat(120), 'a'.repeat(121)]
    const segments = await Promise.all(all.map(segmentOf))
    expect(new Set(segments.map((segment) => segment.toLowerCase())).size).toBe(all.length)
    for (const segment of segments) expect(segment.length).toBeLessThanOrEqual(120)
  })

  it('is cut where it is long, and its head can still be read', async () => {
    expect(await segmentOf(`Kühlschrank im Keller ${'ß'.repeat(60)}`)).toMatch(
      /^~4b~c3~bchlschrank~20im~20~4beller~20(~[0-9a-f]{2})*~~[0-9a-f]{32}$/,
    )
  })

  it('gives keys that every store takes, for the longest ids', async () => {
    const longest = { site: '漢'.repeat(64), domain: '漢'.repeat(64), subject: '漢'.repeat(128) }
    checkKey(`${await folderOf(keptRoot, longest)}${'v'.repeat(64)}/manifest.json`)
    expect((await folderOf(keptRoot, longest)).length).toBeLessThan(400)
  })
})
