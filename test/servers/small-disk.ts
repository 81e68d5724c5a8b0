import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own with a size, so that a test can fill it, enlarge it and make it read-only. */
export interface SmallDisk {
  readonly path: string
  freeBytes(): number
  /** Mounts it again with another size; what is on it stays. */
  resize(megabytes: number): void
  /** Takes all the room that is left with a file of another program, up to the last `leaveBytes`. */
  fill(leaveBytes?: number): void
  /** Removes that file. */
  empty(): void
  makeReadOnly(): void
  makeWritable(): void
  /** Unmounts it; what still has a file open there keeps it alive until it lets go. */
  remove(): void
}

/** Whether such a disk can be mounted here: on Linux, as root. Under CI=true it is an error where it cannot. */
export function smallDiskOrSkip(): { readonly available: boolean; readonly reason: string } {
  refusal ??= tryOnce()
  if (refusal === '') return { available: true, reason: '' }
  const reason = `a tmpfs cannot be mounted here (${refusal})`
  if (process.env['CI'] === 'true') throw new Error(reason)
  return { available: false, reason }
}

/** Why mounting fails; empty where it works, undefined before it was tried. */
let refusal: string | undefined

function tryOnce(): string {
  try {
    mountSmallDisk(1).remove()
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Mounts a tmpfs; an exit hook unmounts what is left. */
export function mountSmallDisk(megabytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'homeostat-disk-'))
  const run = (program: string, ...args: readonly string[]): void => {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(error?.message ?? stderr.trim())
  }
  try {
    run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'tmpfs', path)
  } catch (error) {
    rmdirSync(path)
    throw error
  }
  hookExit()
  mounted.add(path)
  const filler = join(path, 'of-another-program')
  return {
    path,
    freeBytes() {
      const { bavail, bsize } = statfsSync(path)
      return bavail * bsize
    },
    resize: (size) => run('mount', '-o', `remount,size=${size}m`, path),
    fill(leaveBytes = 0) {
      const file = openSync(filler, 'a')
      const page = Buffer.alloc(4096)
      try {
        while (this.freeBytes() > leaveBytes) writeSync(file, page)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      } finally {
        closeSync(file)
      }
    },
    empty: () => rmSync(filler, { force: true }),
    makeReadOnly: () => run('mount', '-o', 'remount,ro', path),
    makeWritable: () => run('mount', '-o', 'remount,rw', path),
    remove() {
      run('umount', '--lazy', path)
      mounted.delete(path)
      rmdirSync(path)
    },
  }
}

const mounted = new Set<string>()
let isHooked = false

function hookExit(): void {
  if (isHooked) return
  isHooked = true
  process.on('exit', () => {
    for (const path of mounted) {
      spawnSync('umount', ['--lazy', path])
      rmSync(path, { recursive: true, force: true })
    }
  })
}
