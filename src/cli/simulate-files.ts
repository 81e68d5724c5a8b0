import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HomeostatError } from '../core/errors.ts'
import type { RawReading } from '../core/reading.ts'
import type { Home } from '../sources/simulator/home.ts'
import type { Target } from './simulate-target.ts'

interface OpenFile {
  readonly path: string
  readonly temporary: string
  readonly handle: FileHandle
}

/** What the files are about, for `truth.json`. */
export interface Setting {
  readonly seed: number
  /** ms */
  readonly step: number
}

const columns = 'at,site,device,metric,value,unit,room'

/**
 * One CSV file a home, long format, and truth.json beside them. All are written under a temporary name and renamed
 * when every one of them is whole; stopped before, nothing of them is left. Rejects with `file_unreadable`.
 */
export async function fileTarget(folder: string, setting: Setting): Promise<Target> {
  const files: OpenFile[] = []
  const homes: Home[] = []

  const create = async (name: string): Promise<OpenFile> => {
    const path = join(folder, name)
    const temporary = `${path}.tmp`
    try {
      const file = { path, temporary, handle: await open(temporary, 'w') }
      files.push(file)
      return file
    } catch (error) {
      throw unwritable(path, error)
    }
  }

  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    throw unwritable(folder, error)
  }
  return {
    name: folder,
    emitFor: async (home) => {
      homes.push(home)
      const { handle, path } = await create(`${home.site.id}.csv`)
      await handle.write(`${columns}\n`)
      return async (batch) => {
        try {
          await handle.appendFile(rowsOf(batch))
        } catch (error) {
          throw unwritable(path, error)
        }
        return { accepted: batch.length, rejected: [] }
      }
    },
    close: async (finished) => {
      if (finished) {
        const truth = await create('truth.json')
        await truth.handle.appendFile(`${JSON.stringify(truthOf(homes, setting), null, 1)}\n`)
      }
      for (const { handle } of files) {
        if (finished) await handle.sync()
        await handle.close()
      }
      for (const { path, temporary } of files) {
        await (finished ? rename(temporary, path) : rm(temporary, { force: true }))
      }
    },
  }
}

/** No field of a simulated reading holds a comma or a quote. */
function rowsOf(batch: readonly RawReading[]): string {
  let text = ''
  let at: unknown
  let iso = ''
  for (const reading of batch) {
    if (reading.at !== at) {
      at = reading.at
      iso = new Date(Number(at)).toISOString()
    }
    const { site, device, metric, value, unit, room } = reading
    text += `${iso},${site},${device},${metric},${value},${unit},${room}\n`
  }
  return text
}

/** What really was: which readings are at fault, and who was where (room null: outside). Times in ISO 8601. */
function truthOf(homes: readonly Home[], setting: Setting) {
  const spelled = <Span extends { readonly from: number; readonly to: number }>(span: Span) => ({
    ...span,
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
  })
  return {
    simulated: true,
    seed: setting.seed,
    stepSeconds: setting.step / 1000,
    homes: homes.map((home) => ({
      site: home.site.id,
      file: `${home.site.id}.csv`,
      zone: home.site.zone,
      latitude: home.latitude,
      longitude: home.longitude,
      people: home.people,
      devices: home.devices,
      faults: home.faults().map(spelled),
      occupancy: home.occupancy().map(spelled),
    })),
  }
}

function unwritable(file: string, error: unknown): HomeostatError {
  const detail = `it cannot be written (${error instanceof Error ? error.message : String(error)})`
  return new HomeostatError('file_unreadable', { file, detail }, error)
}
