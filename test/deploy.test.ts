import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { exitOf } from '../src/core/errors.ts'

const unit = fileURLToPath(new URL('../deploy/systemd/homeostat.service', import.meta.url))
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

describe('the service of systemd', () => {
  it.skipIf(!hasSystemd)('is a valid unit (systemd-analyze)', () => {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
    expect([status, stdout + stderr]).toEqual([0, ''])
  })

  it('is not started again where a person is needed', () => {
    const codes = /^RestartPreventExitStatus=(.*)$/m
      .exec(readFileSync(unit, 'utf8'))?.[1]
      ?.split(' ')
      .map(Number)
    for (const code of ['config_invalid', 'auth_required', 'data_lost', 'data_damaged'] as const)
      expect(codes).toContain(exitOf(code))
    // another process may give the port or the folder back
    for (const code of ['port_taken', 'data_locked'] as const) expect(codes).not.toContain(exitOf(code))
  })
})
