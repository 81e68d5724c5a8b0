import { describe, expect, it } from 'vitest'
import type { ArtifactStore } from '../../src/core/ports.ts'

/** A store under examination. */
export interface ArtifactStoreSubject {
  readonly name: string
  /** A new store that holds nothing; not open yet. */
  create(): Promise<ArtifactStore>
  /** Another store over what the last one wrote; absent where nothing outlives the store. */
  reopen?(): Promise<ArtifactStore>
  /** More than a server lists in one page. */
  readonly manyKeys: number
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes)

type Test = (name: string, body: (store: ArtifactStore) => Promise<void>, limitMs?: number) => void

/** The laws of the ArtifactStore port; every store runs them. */
export function examineArtifactStore(subject: ArtifactStoreSubject): void {
  const test: Test = (name, body, limitMs) => {
    const examine = async (): Promise<void> => {
      const store = await subject.create()
      await store.open()
      try {
        await body(store)
      } finally {
        await store.close()
      }
    }
    it(name, examine, limitMs)
  }

  describe(`${subject.name} as an ArtifactStore`, () => {
    examineBytes(test)
    examineLists(test, subject.manyKeys)
    examineRemoval(test)
    examineKeys(test)
    examineReopening(subject)
  })
}

function examineBytes(test: Test): void {
  test('gives back what was put, byte for byte', async (store) => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) % 256)
    await store.put('a/b/every-byte.bin', bytes)
    expect(Buffer.compare((await store.get('a/b/every-byte.bin')) ?? Buffer.of(), bytes)).toBe(0)
  })

  test('keeps an object of no bytes apart from no object', async (store) => {
    await store.put('a/empty', new Uint8Array(0))
    expect(await store.get('a/empty')).toEqual(new Uint8Array(0))
    expect(await store.list('')).toEqual(['a/empty'])
    expect(await store.get('a/other')).toBeUndefined()
    expect(await store.get('a')).toBeUndefined()
    expect(await store.get('a/empty/below')).toBeUndefined()
  })

  test('replaces what the key held, also by something shorter', async (store) => {
    await store.put('a/text', bytesOf('the first and longer one'))
    await store.put('a/text', bytesOf('the second'))
    expect(textOf(await store.get('a/text'))).toBe('the second')
    expect(await store.list('')).toEqual(['a/text'])
  })

  test('puts the bytes of a part of a buffer, not the whole buffer', async (store) => {
    await store.put('part', bytesOf('(inside)').subarray(1, 7))
    expect(textOf(await store.get('part'))).toBe('inside')
  })

  test('keeps its own copy of what was put', async (store) => {
    const bytes = bytesOf('as it was')
    await store.put('copy', bytes)
    bytes.fill(0)
    const got = await store.get('copy')
    expect(textOf(got)).toBe('as it was')
    got?.fill(0)
    expect(textOf(await store.get('copy'))).toBe('as it was')
  })

  test('takes many puts at once, of one key and of several', async (store) => {
    const texts = Array.from({ length: 12 }, (_, index) => `text ${index}`)
    await Promise.all(texts.map((text, index) => store.put(`at-once/${index % 4}/x`, bytesOf(text))))
    const got = await Promise.all(
      [0, 1, 2, 3].map(async (place) => textOf(await store.get(`at-once/${place}/x`))),
    )
    for (const [place, text] of got.entries()) {
      expect(texts.filter((_, index) => index % 4 === place)).toContain(text)
    }
  })
}

function examineLists(test: Test, manyKeys: number): void {
  test('lists by prefix, in the order of code units, wherever the prefix ends', async (store) => {
    const keys = ['b/z', 'b/Z', 'b/a~1/x', 'b/a-1/x', 'b/a.1', 'ba', 'c/d/e/f']
    for (const key of keys) await store.put(key, bytesOf(key))
    expect(await store.list('')).toEqual([...keys].sort())
    expect(await store.list('b/')).toEqual(['b/Z', 'b/a-1/x', 'b/a.1', 'b/a~1/x', 'b/z'])
    expect(await store.list('b/a~')).toEqual(['b/a~1/x'])
    expect(await store.list('b')).toEqual(['b/Z', 'b/a-1/x', 'b/a.1', 'b/a~1/x', 'b/z', 'ba'])
    expect(await store.list('c/d/e')).toEqual(['c/d/e/f'])
    expect(await store.list('nothing/here')).toEqual([])
  })

  const pages = async (store: ArtifactStore): Promise<void> => {
    const keys = Array.from({ length: manyKeys }, (_, index) => `many/${String(index).padStart(5, '0')}`)
    for (let from = 0; from < keys.length; from += 50) {
      await Promise.all(keys.slice(from, from + 50).map((key) => store.put(key, bytesOf('x'))))
    }
    expect(await store.list('many/')).toEqual(keys)
  }
  test('lists more keys than fit on one page', pages, 120_000)
}

function examineRemoval(test: Test): void {
  test('removes what is named and nothing else, and minds nothing that is not there', async (store) => {
    for (const key of ['a/1', 'a/2', 'a/b/3']) await store.put(key, bytesOf(key))
    await store.remove(['a/1', 'a/none', 'none/at/all', 'a/b/3'])
    expect(await store.list('')).toEqual(['a/2'])
    expect(await store.get('a/1')).toBeUndefined()
    await store.remove([])
    await store.remove(['a/1'])
    await store.put('a/b/3', bytesOf('again'))
    expect(await store.list('')).toEqual(['a/2', 'a/b/3'])
  })
}

function examineKeys(test: Test): void {
  test('takes the longest segments that a key may have', async (store) => {
    const key = `${'a'.repeat(200)}/${'B'.repeat(200)}/${'.'.repeat(200)}`
    await store.put(key, bytesOf('long'))
    expect(textOf(await store.get(key))).toBe('long')
    expect(await store.list(key.slice(0, 300))).toEqual([key])
  })

  test('refuses keys that lead elsewhere or that a file system cannot hold', async (store) => {
    const bad = [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '..',
      'a/../b',
      './a',
      'a/.',
      'a\\b',
      'a b',
      'ä',
      'a\0',
      'a#',
      'C:',
    ]
    for (const key of [...bad, 'x'.repeat(201), 'x/'.repeat(500)]) {
      await expect(store.put(key, bytesOf('x')), key).rejects.toThrow(/key of an artifact/)
      await expect(store.get(key), key).rejects.toThrow(/key of an artifact/)
      await expect(store.remove(['fine', key]), key).rejects.toThrow(/key of an artifact/)
    }
    for (const prefix of ['../', 'a/../b', '/etc', 'a\\', 'a//']) {
      await expect(store.list(prefix), prefix).rejects.toThrow(/artifact/)
    }
    expect(await store.list('')).toEqual([])
  })
}

function examineReopening({ create, reopen }: ArtifactStoreSubject): void {
  const reason = reopen ? '' : ' (nothing of it outlives the store)'
  it.skipIf(!reopen)(`holds after it was closed and opened again what it held before${reason}`, async () => {
    const first = await create()
    await first.open()
    await first.put('kept/for/good', bytesOf('still here'))
    await first.close()
    const second = await reopen?.()
    await second?.open()
    await second?.open()
    expect(textOf(await second?.get('kept/for/good'))).toBe('still here')
    expect(await second?.list('')).toEqual(['kept/for/good'])
    await second?.close()
  })
}
