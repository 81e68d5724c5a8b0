/** What `lab` is doing, on standard error: one line that changes on a terminal, nothing where no one watches. */

const { stderr } = process

/** Shows a step before it is made; the learning that follows holds the thread, so the line is written at once. */
export function showProgress(step: string, nth: number, of: number): void {
  if (!stderr.isTTY) return
  stderr.write(`\r\u001b[K${nth + 1} of ${of}: ${step}`)
}

/** Takes the line away, so that the result stands alone. */
export function clearProgress(): void {
  if (stderr.isTTY) stderr.write('\r\u001b[K')
}
