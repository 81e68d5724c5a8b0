import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { HomeostatError } from '../core/errors.ts'
import type { Log } from '../core/ports.ts'

/** PEM text. */
export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

export interface CertificateFiles {
  /** Paths. */
  readonly cert: string
  readonly key: string
}

/** A certificate and its key, read again when their files change. */
export class Certificate {
  readonly #files: CertificateFiles
  readonly #log: Log
  readonly #listeners = new Set<(pair: CertificatePair) => void>()
  #pair: CertificatePair
  /** What was found wrong last, so that it is reported once. */
  #fault: string | undefined
  #timer: ReturnType<typeof setInterval> | undefined

  private constructor(files: CertificateFiles, pair: CertificatePair, log: Log) {
    this.#files = files
    this.#pair = pair
    this.#log = log
  }

  /** Throws `file_unreadable` where the files cannot be read or do not belong together. */
  static async open(files: CertificateFiles, log: Log): Promise<Certificate> {
    return new Certificate(files, await readPair(files), log)
  }

  get pair(): CertificatePair {
    return this.#pair
  }

  /** Looks for changes from now on, until closed. */
  watch(everyMs: number): void {
    this.#timer = setInterval(() => void this.check(), everyMs).unref()
  }

  /** Called with each new pair. */
  onChange(listener: (pair: CertificatePair) => void): void {
    this.#listeners.add(listener)
  }

  /** Takes the files where they changed. A pair that does not fit stays out: the two are written one after the other. */
  async check(): Promise<void> {
    try {
      const pair = await readPair(this.#files)
      this.#fault = undefined
      if (pair.cert === this.#pair.cert && pair.key === this.#pair.key) return
      this.#pair = pair
      for (const listener of this.#listeners) listener(pair)
      this.#log.info('The certificate was read again.', { cert: this.#files.cert })
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error)
      if (fault === this.#fault) return
      this.#fault = fault
      this.#log.error('The certificate that is in use stays: the new one cannot be used.', { error: fault })
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

async function readPair(files: CertificateFiles): Promise<CertificatePair> {
  const [cert, key] = [await read(files.cert), await read(files.key)]
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    const detail = `it is no certificate that belongs to the key ${files.key} (${(error as Error).message})`
    throw new HomeostatError('file_unreadable', { file: files.cert, detail }, error)
  }
  return { cert, key }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new HomeostatError('file_unreadable', { file, detail: `it cannot be read (${code})` }, error)
  }
}
