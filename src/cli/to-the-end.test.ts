import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

const module = JSON.stringify(new URL('./to-the-end.ts', import.meta.url).href)

const endOf = (work: string): { code: number | null; says: string } => {
  const script = `const { toTheEnd } = await import(${module}); toTheEnd(${work}).catch(() => {})`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { code: status, says: stderr }
}

it('ends with 70 and a sentence where the work never came to its end', () => {
  const { code, says } = endOf('() => new Promise(() => {})')
  expect(code).toBe(70)
  expect(says).toMatch(/ended before its work was done/)
}, 30_000)

it('leaves the code of work that did, well or not', () => {
  expect(endOf('async () => { throw new Error() }')).toEqual({ code: 0, says: '' })
  expect(endOf('async () => {}')).toEqual({ code: 0, says: '' })
  expect(endOf('async () => { process.exitCode = 3 }')).toEqual({ code: 3, says: '' })
}, 30_000)
