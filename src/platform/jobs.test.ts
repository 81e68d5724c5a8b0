import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Jobs } from '../core/ports.ts'
import { createThreadJobs } from './jobs.ts'

/** A worker as the engine's: it tells how far it is where there is a port, and answers, fails or goes on for ever. */
const worker = `
  export function runTask({ task, input, port, ...rest }) {
    if (task === 'fail') throw new Error('no ' + input)
    if (task === 'hang') for (;;) {}
    if (task === 'hog') for (const all = []; ; ) all.push(new Array(100_000).fill(input + all.length))
    for (const share of [0.25, 0.5]) port?.postMessage(share)
    return { twice: 2 * input, told: port !== undefined, ...rest }
  }`

let folder: string
let jobs: Jobs
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeostat-jobs-'))
  const file = join(folder, 'worker.mjs')
  await writeFile(file, worker)
  jobs = createThreadJobs({ file: pathToFileURL(file), threads: 1, memoryMb: 64, warm: true })
})
afterAll(async () => {
  await jobs.close()
  await rm(folder, { recursive: true })
})

it('gives back what the worker says, and nobody is told how far it is who does not ask', async () => {
  expect(await jobs.run('double', 21)).toEqual({ twice: 42, told: false })
})

it('passes with every job what the pool was made with', async () => {
  const always = { domainsModule: 'file:///domains.js' }
  const own = createThreadJobs({
    ...{ file: pathToFileURL(join(folder, 'worker.mjs')), threads: 1, memoryMb: 64, always },
  })
  expect(await own.run('double', 1)).toEqual({ twice: 2, told: false, ...always })
  expect(await own.run('double', 1, { onProgress: () => undefined })).toEqual({
    ...{ twice: 2, told: true, ...always },
  })
  await own.close()
})

it('tells how far the work is, all of it before the work is done', async () => {
  const shares: number[] = []
  expect(await jobs.run('double', 4, { onProgress: (share) => shares.push(share) })).toEqual({
    twice: 8,
    told: true,
  })
  expect(shares).toEqual([0.25, 0.5])
})

it('says why a task failed', async () => {
  await expect(jobs.run('fail', 'memory')).rejects.toThrow('no memory')
})

it('ends a task that is given up, and the next one runs', async () => {
  const stop = new AbortController()
  const endless = jobs.run('hang', 0, { signal: stop.signal })
  setTimeout(() => stop.abort(), 50)
  await expect(endless).rejects.toThrow()
  expect(await jobs.run('double', 1)).toMatchObject({ twice: 2 })
})

it('ends with its thread where a task wants more memory than it may have, and the next one runs', async () => {
  await expect(jobs.run('hog', 0.5)).rejects.toThrow(/memory/)
  expect(await jobs.run('double', 3)).toMatchObject({ twice: 6 })
})
