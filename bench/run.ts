import { readdirSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import type { Bench, Figure } from './report.ts'

/**
 * npm run bench -- NAME [NAME...]: runs bench/NAME.ts (`truth`: every truth-*.ts) and prints one JSON line a figure,
 * after one line that says where and when. Without a name: lists them. Exits 1 when one of them throws. `--quick`:
 * shorter, where a benchmark can be.
 */
const notBenches = ['run', 'report']

function benches(): string[] {
  return readdirSync(new URL('.', import.meta.url))
    .filter((file) => /^[a-z0-9-]+\.ts$/.test(file))
    .map((file) => file.slice(0, -3))
    .filter((name) => !notBenches.includes(name))
    .sort()
}

function chosen(names: readonly string[], known: readonly string[]): string[] {
  return names.flatMap((name) => {
    const found = known.filter((one) => one === name || one.startsWith(`${name}-`))
    const fits = found.includes(name) ? [name] : found
    if (fits.length === 0) throw new Error(`there is no benchmark ${name}; there are ${known.join(', ')}`)
    return fits
  })
}

function print(figure: Figure): void {
  console.log(JSON.stringify(figure))
}

async function main(words: readonly string[]): Promise<void> {
  const names = words.filter((word) => word !== '--quick')
  const options = { isQuick: names.length < words.length }
  const known = benches()
  if (names.length === 0) {
    console.log(`npm run bench -- NAME [NAME...], where NAME is one of: ${known.join(', ')}`)
    return
  }
  const [node, cpus, date] = [process.version, availableParallelism(), new Date().toISOString()]
  const list = chosen(names, known)
  console.log(JSON.stringify({ node, cpus, date, loadAverage: loadavg() }))
  for (const name of list) {
    try {
      // a bench that lacks `run` is told so by the call
      const bench = (await import(`./${name}.ts`)) as Bench
      await bench.run(print, options)
    } catch (error) {
      process.exitCode = 1
      console.error(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : error}`)
    }
  }
}

await main(process.argv.slice(2))
