import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { initSync, MSTL } from '@bsull/augurs/mstl'
import type { AugursMstl } from '../ml/learners/mstl.ts'

/** Starts the compiled code of augurs from the package's folder; a second start is the first. */
export function loadMstl(): AugursMstl {
  const folder = dirname(createRequire(import.meta.url).resolve('@bsull/augurs/mstl'))
  initSync({ module: readFileSync(join(folder, 'mstl_bg.wasm')) })
  return MSTL
}
