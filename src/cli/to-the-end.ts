/**
 * Runs `work`, and says so where the process ends before it is done. Node ends with code 0 when nothing is left that
 * could wake it, also while a promise is open: an import that stood still would count as one that ended well.
 */
export async function toTheEnd(work: () => Promise<void>): Promise<void> {
  const check = (code: number): void => {
    if (code !== 0) return
    process.stderr.write(
      'Homeostat ended before its work was done: nothing was left to wait for. This is a bug.\n',
    )
    process.exitCode = 70
  }
  process.once('exit', check)
  try {
    await work()
  } finally {
    process.off('exit', check)
  }
}
