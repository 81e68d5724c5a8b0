/** Asks `/readyz` again and again, in a process that does nothing else; prints the slowest answer, ms, when it is ended. */
const url = process.argv[2]
let slowest = 0
let asked = performance.now()
process.on('SIGTERM', () => {
  // the answer that is still waited for counts, too
  process.stdout.write(String(Math.max(slowest, performance.now() - asked - 50)))
  process.exit(0)
})
for (;;) {
  asked = performance.now()
  const answer = await fetch(`${url}/readyz`)
  await answer.arrayBuffer()
  slowest = Math.max(slowest, performance.now() - asked)
  await new Promise((resolve) => setTimeout(resolve, 50))
}
