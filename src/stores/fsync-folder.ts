import { open } from 'node:fs/promises'

/** Makes the names in the folder durable: what was created, renamed or removed there. */
export async function fsyncFolder(path: string): Promise<void> {
  // Windows has no such call, and needs none: NTFS keeps names in its journal
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
