import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { examineArtifactStore } from '../../../test/conformance/artifact-store.ts'
import { temporaryFolder } from '../../../test/servers.ts'
import { createFileArtifacts } from './file.ts'

const parent = temporaryFolder('artifacts')
let count = 0
const newFolder = (): string => join(parent.path, String(++count), 'artifacts')
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

afterAll(() => parent.remove())

examineArtifactStore({
  name: 'file',
  // every put is fsynced: a few are enough where nothing is listed by pages
  manyKeys: 40,
  create: async () => createFileArtifacts({ folder: newFolder() }),
  reopen: async () => createFileArtifacts({ folder: join(parent.path, String(count), 'artifacts') }),
})

describe('artifacts in a folder', () => {
  it('are files at the path that the key says', async () => {
    const folder = newFolder()
    const store = createFileArtifacts({ folder })
    await store.open()
    await store.put('models/home/v1/model.json', bytesOf('{}'))
    expect(await readFile(join(folder, 'models/home/v1/model.json'), 'utf8')).toBe('{}')
  })

  it('are readable for this user only', async () => {
    const folder = newFolder()
    const store = createFileArtifacts({ folder })
    await store.open()
    await store.put('a/b', bytesOf('x'))
    expect((await stat(join(folder, 'a'))).mode & 0o077).toBe(0)
    expect((await stat(join(folder, 'a/b'))).mode & 0o077).toBe(0)
  })

  it('do not show what an interrupted put left, and lose it when they are opened', async () => {
    const folder = newFolder()
    await mkdir(join(folder, 'a'), { recursive: true })
    await writeFile(join(folder, 'a/model.json'), 'old')
    await writeFile(join(folder, 'a/model.json#'), 'hal')
    const store = createFileArtifacts({ folder })
    expect(await store.list('')).toEqual(['a/model.json'])
    await store.open()
    expect(await readdir(join(folder, 'a'))).toEqual(['model.json'])
    expect(await store.list('')).toEqual(['a/model.json'])
  })

  it('leave no empty folders behind', async () => {
    const folder = newFolder()
    const store = createFileArtifacts({ folder })
    await store.open()
    await store.put('a/b/c/1', bytesOf('x'))
    await store.put('a/2', bytesOf('x'))
    await store.remove(['a/b/c/1'])
    expect(await readdir(join(folder, 'a'))).toEqual(['2'])
    await store.remove(['a/2'])
    expect(await readdir(folder)).toEqual([])
  })

  it('reject with the own words of the disk where it refuses', async () => {
    const folder = newFolder()
    const store = createFileArtifacts({ folder })
    await store.open()
    await store.put('a', bytesOf('a file'))
    await expect(store.put('a/b', bytesOf('x'))).rejects.toThrow(/ENOTDIR/)
    expect(await store.list('')).toEqual(['a'])
  })
})
