/**
 * Runs `work`, and reports a process that exits before it is done. Node exits with code 0 once nothing can wake it, even
 * while a promise is pending: an import that hangs would look like a success.
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
