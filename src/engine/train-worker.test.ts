import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import type { LearnInput } from '../domains/domain.ts'
import { household, toLearn } from '../domains/energy/made-home.ts'
import { type JobRequest, runTask } from './train-worker.ts'

const input: LearnInput = toLearn(household(30, 1))
const made = `
  const learn = (input, onProgress) => {
    onProgress(0.5)
    const days = (loss) => new Float64Array(20).fill(loss)
    const losses = { candidate: days(1), naive: { name: 'yesterday', label: 'yesterday', days: days(4) } }
    return { report: { unit: input.unit, decidedBy: 'rmse' }, body: 'made', losses }
  }
  export const domains = [{ name: 'other' }, { name: 'made', learning: { name: 'made', learn } }]`

it('worker: finds the work of a domain by the name of its learning', async () => {
  const shares: number[] = []
  const port = { postMessage: (share: number) => void shares.push(share) }
  expect(await runTask({ task: 'energy', input, port })).toMatchObject({ card: { unit: 'kWh' } })
  expect(shares.length).toBeGreaterThan(0)
  await expect(runTask({ task: 'thresholds', input })).rejects.toThrow('No domain learns "thresholds".')
})

it('worker: takes the domains of another module instead', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeostat-domains-'))
  const file = join(folder, 'domains.mjs')
  await writeFile(file, made)
  const shares: number[] = []
  const request: JobRequest = {
    ...{ task: 'made', input, port: { postMessage: (share) => void shares.push(share) } },
    domainsModule: pathToFileURL(file).href,
  }
  expect(await runTask(request)).toMatchObject({
    card: { unit: 'kWh', verdict: { status: 'live', comparisons: { yesterday: { days: 20, gain: 0.5 } } } },
    body: 'made',
  })
  expect(shares).toEqual([0.5])
  await expect(runTask({ ...request, task: 'energy' })).rejects.toThrow('No domain learns "energy".')
  await rm(folder, { recursive: true })
})
