import { expect, it } from 'vitest'
import { errorCodes, exitOf, HomeostatError, problem, statusOf } from './errors.ts'

it('fills the placeholders of a sentence and leaves unknown ones to be seen', () => {
  expect(problem('batch_too_large', { limit: 10, got: 11 }).message).toBe(
    'A request holds at most 10 readings, this one 11.',
  )
  expect(problem('batch_too_large', { limit: 10 }).message).toContain('{got}')
})

it('does not read placeholders inside what was filled in', () => {
  expect(problem('payload_not_json', { detail: '{code}' }).message).toBe('The payload is not JSON: {code}.')
})

it('gives every code a status, an exit code and a sentence that ends', () => {
  for (const code of errorCodes) {
    expect(statusOf(code), code).toBeGreaterThanOrEqual(400)
    expect(exitOf(code), code).toBeGreaterThan(0)
    expect(problem(code).message, code).toMatch(/[.)}]$/)
  }
})

it('is an error with a code and a cause', () => {
  const cause = new Error('disk')
  const error = new HomeostatError('store_failed', { detail: 'disk' }, cause)
  expect(error).toMatchObject({
    code: 'store_failed',
    cause,
    message: 'The readings could not be stored: disk.',
  })
})
