import { randomUUID } from 'node:crypto'
import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { FolderContents, KnownContents, PresentStores, StoreName } from '../core/contents.ts'

export interface ContentsOptions {
  readonly folder: string
  readonly acceptLoss: boolean
  readonly present: () => Promise<PresentStores>
}

/** Beginnings of the names of each store's files in the data folder. */
const filesOf: Readonly<Record<StoreName, string>> = {
  journal: 'journal',
  readings: 'readings.duckdb',
  ledger: 'ledger.db',
}

export const contentsName = 'contents'

/**
 * The file `contents` in the data folder, 64 bytes, little-endian:
 *
 *  0 u32 magic   4 u32 CRC-32 of the 56 bytes that follow   8 u32 1 where complete   12 u32 0
 * 16 f64 position of the newest acknowledged turn   24 f64 number of the newest change of the ledger   32 id of the folder
 *
 * It is written after each commit without waiting for the disk: a killed process loses nothing of it, and after a power
 * cut it may be older than the stores, never newer, so it raises no false alarm. It fits into one sector.
 */
export function openContents({ folder, acceptLoss, present }: ContentsOptions): FolderContents {
  const file = join(folder, contentsName)
  const found = readContents(file)
  const now = {
    journal: 0,
    ledger: 0,
    ...found,
    id: found?.id ?? newId(),
    isComplete: found?.isComplete ?? false,
  }
  let fd: number | undefined
  const write = (): void => {
    try {
      if (fd !== undefined) writeSync(fd, encode(now), 0, contentsBytes, 0)
    } catch {
      // such as a full disk: an older mark hides a loss, and the commit that it is about is durable
    }
  }
  return {
    ...{ folder, known: found, acceptLoss, present },
    setAside: (store) => setAside(folder, filesOf[store]),
    async begin(isComplete, journal) {
      if (!found) now.isComplete = isComplete
      now.journal = journal
      fd = openSync(file, found ? 'r+' : 'w', 0o600)
      write()
      try {
        fsyncSync(fd)
      } catch {
        // a hub on a full disk starts all the same
      }
    },
    markJournal(position) {
      if (position <= now.journal) return
      now.journal = position
      write()
    },
    markLedger(change) {
      now.ledger = change
      write()
    },
    async close() {
      if (fd === undefined) return
      fdatasyncSync(fd)
      closeSync(fd)
      fd = undefined
    },
  }
}

const contentsBytes = 64
const magic = 0x4e_43_4d_48

interface Saved extends KnownContents {
  readonly id: Buffer
}

const newId = (): Buffer => Buffer.from(randomUUID().replaceAll('-', ''), 'hex')

function encode({ journal, ledger, isComplete, id }: Saved): Buffer {
  const bytes = Buffer.alloc(contentsBytes)
  bytes.writeUInt32LE(magic, 0)
  bytes.writeUInt32LE(isComplete ? 1 : 0, 8)
  bytes.writeDoubleLE(journal, 16)
  bytes.writeDoubleLE(ledger, 24)
  id.copy(bytes, 32)
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
  return bytes
}

/** What the file holds; undefined where it is absent or damaged: the stores themselves are whole without it. */
function readContents(file: string): Saved | undefined {
  try {
    const bytes = readFileSync(file)
    const isWhole =
      bytes.length === contentsBytes &&
      bytes.readUInt32LE(0) === magic &&
      bytes.readUInt32LE(4) === crc32(bytes.subarray(8))
    if (!isWhole) return undefined
    return {
      journal: bytes.readDoubleLE(16),
      ledger: bytes.readDoubleLE(24),
      isComplete: bytes.readUInt32LE(8) === 1,
      id: bytes.subarray(32, 48),
    }
  } catch {
    return undefined
  }
}

async function setAside(folder: string, prefix: string): Promise<void> {
  const names = await readdir(folder)
  const rest = names.filter(
    (name) => name === prefix || name.startsWith(`${prefix}.`) || name.startsWith(`${prefix}-`),
  )
  for (const name of rest) await rename(join(folder, name), join(folder, `lost-${Date.now()}-${name}`))
}
