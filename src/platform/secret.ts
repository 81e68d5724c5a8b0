import { randomBytes } from 'node:crypto'
import { link, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

const fileName = 'secret.key'
const secretBytes = 32

/**
 * The secret of this installation, made at the first start: it signs access tokens. It is in no configuration and no log.
 * Without the file a new one is made, and tokens that were issued before are not valid any more.
 */
export async function installationSecret(folder: string): Promise<Uint8Array> {
  const file = join(folder, fileName)
  const known = await readSecret(file)
  if (known) return known
  const temporary = `${file}.${process.pid}.tmp`
  const handle = await open(temporary, 'w', 0o600)
  try {
    await handle.writeFile(randomBytes(secretBytes))
    await handle.sync()
  } finally {
    await handle.close()
  }
  // a file cut short by a power cut goes; `link` replaces none that is whole
  if (!(await readSecret(file))) await rm(file, { force: true })
  await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(temporary, { force: true })
  const made = await readSecret(file)
  if (!made) throw new Error(`${file} does not hold ${secretBytes} bytes.`)
  return made
}

async function readSecret(file: string): Promise<Uint8Array | undefined> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return bytes?.length === secretBytes ? bytes : undefined
}
