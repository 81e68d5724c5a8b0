import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every sync of the process takes so much longer, whichever thread calls it. */
const source = (ms: number): string => `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int slowed(const char *name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  usleep(${ms * 1000});
  return real(fd);
}
int fsync(int fd) { return slowed("fsync", fd); }
int fdatasync(int fd) { return slowed("fdatasync", fd); }
`

/**
 * Variables for a process whose fsync and fdatasync take `ms` longer; undefined where that cannot be had: not on Linux,
 * or without a C compiler. `folder` holds the library meanwhile.
 */
export function slowDisk(folder: string, ms: number): Readonly<Record<string, string>> | undefined {
  if (process.platform !== 'linux') return undefined
  const [code, library] = [join(folder, 'slow-disk.c'), join(folder, 'slow-disk.so')]
  writeFileSync(code, source(ms))
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, code, '-ldl'])
  return status === 0 ? { LD_PRELOAD: library } : undefined
}
