/**
 * Compiles kernels/boosting (AssemblyScript) to WebAssembly and writes it as base64 into the module that loads it, so that
 * src/ml needs no file at run time. `node scripts/build-kernels.mjs` after every change of a kernel; a test compares.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { main } from 'assemblyscript/asc'

const root = new URL('../', import.meta.url)
const source = 'kernels/boosting/'
const target = 'src/ml/learners/boosting/kernel-wasm.ts'

/** The bytes of the compiled kernel, the same ones for the same source and compiler. */
export async function compileKernel() {
  let wasm
  const { error, stderr } = await main(
    [
      'index.ts',
      '--outFile',
      'boosting.wasm',
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--noExportMemory',
      '--sharedMemory',
      '--initialMemory',
      '1',
      '--maximumMemory',
      '32768',
      '--enable',
      'simd,threads,bulk-memory',
      '--lowMemoryLimit',
      '20480',
    ],
    {
      // the compiler wants .ts; ours end in .as because they are not TypeScript
      readFile: (name) => {
        const file = new URL(source + name.replace(/\.ts$/, '.as'), root)
        return existsSync(file) ? readFileSync(file, 'utf8') : null
      },
      writeFile: (_name, contents) => {
        wasm = contents
      },
      listFiles: () => [],
    },
  )
  if (error !== null) throw new Error(`${source} does not compile:\n${stderr}`)
  return wasm
}

/** The text of the module that holds the bytes. */
export function moduleText(wasm) {
  const base64 = Buffer.from(wasm).toString('base64')
  return `/** Made from ${source} by scripts/build-kernels.mjs: WebAssembly in base64. */
export const kernelBase64 =
  '${base64}'
`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const wasm = await compileKernel()
  writeFileSync(new URL(target, root), moduleText(wasm))
  console.log(`${target}: ${wasm.length} bytes of WebAssembly`)
}
