import { HomeostatError } from '../../core/errors.ts'
import type { StoredModel } from '../../core/life.ts'
import type { ArtifactStore, Clock, Log } from '../../core/ports.ts'
import { type Target, targetId } from '../../core/target.ts'
import { hourMs } from '../../core/time.ts'
import { KeyedTurns } from '../../core/turns.ts'
import { Unfit } from './registry-card.ts'
import { files, read, render, type VersionFiles } from './registry-manifest.ts'
import {
  checkVersion,
  folderOf,
  keptRoot,
  nameOf,
  oldFolderOf,
  refusal,
  refusedRoot,
  segmentOf,
} from './registry-names.ts'

/** The model to serve, and the versions that could not be loaded. */
export interface NewestGood {
  readonly model?: StoredModel
  /** In the order in which they were tried; `version` is empty where the pointer itself is no good. */
  readonly refused: readonly { readonly version: string; readonly reason: string }[]
}

const latestName = 'latest.txt'
const previousName = 'previous.txt'
const whyName = 'why.txt'

/** A version without a manifest is taken to be abandoned when it was seen so for this long. */
const halfWrittenMs = hourMs
/** Refused versions of a series that are kept to be looked at: the newest by name. */
const refusedMax = 5

/**
 * Learnt models as immutable versions in a store of artifacts:
 *
 *     models/<site>/<domain>/<subject>/<version>/model.json, card.json, manifest.json
 *     models/<site>/<domain>/<subject>/latest.txt      name of the version that is live, and nothing else
 *     models/<site>/<domain>/<subject>/previous.txt    the one that was served before it
 *     refused/<site>/<domain>/<subject>/<version>/why.txt, and what there was of the three files
 *
 * Models of energy that a hub before targets wrote are read where they are: `models/<site>/<device>/energy/`.
 *
 * Each file is whole or not there. A version is there once its manifest is, which is written last; it is live once
 * latest.txt names it, which moves after that. So whenever the power goes, a hub that starts finds the old version or
 * the new one. What is loaded is checked to the byte. Errors of the store itself pass through: a disk or a server that
 * does not answer says nothing about a model.
 */
export class Registry {
  readonly #artifacts: ArtifactStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #code: string
  /** By target: its changes are made in the order of the calls, and no target waits for files of another. */
  readonly #turns = new KeyedTurns()
  /** By folder of a version without a manifest: when it was first seen, monotonic ms. */
  readonly #halfSince = new Map<string, number>()

  /** `code` is the version of the program. */
  constructor(parts: { artifacts: ArtifactStore; clock: Clock; log: Log; code: string }) {
    this.#artifacts = parts.artifacts
    this.#clock = parts.clock
    this.#log = parts.log
    this.#code = parts.code
  }

  /**
   * Writes a version and reads it back. The same content again is fine; throws `model_refused` for other content under
   * a known version, for a version that was set aside, and for a model that could not be loaded again.
   */
  put(model: StoredModel, seed: number): Promise<void> {
    const { target } = model.card
    const { version } = model.card.model
    return this.#inTurn(target, async () => {
      const folder = await this.#folderOf(target, version)
      const aside = await this.#whyAside(target, version)
      if (aside !== undefined) throw refusal(target, version, `it was set aside: ${aside}`)
      const place = await this.#placeOf(target, version)
      const manifest = await this.#artifacts.get(place + files.manifest)
      if (manifest) {
        const kept = await this.load(target, version)
        if (JSON.stringify(kept.card) !== JSON.stringify(model.card) || kept.body !== model.body) {
          throw refusal(target, version, 'this version is kept already, with another content')
        }
        // what can be read need not be durable: it may be from a put whose last step failed
        return this.#artifacts.put(place + files.manifest, manifest)
      }
      const origin = { code: this.#code, seed, madeAt: this.#clock.now() }
      const written = await render(model, origin)
      // what cannot be loaded is not written, either
      await orRefuse(target, version, () => read(written, target, version))
      await this.#artifacts.put(folder + files.model, written.model)
      await this.#artifacts.put(folder + files.card, written.card)
      await this.#artifacts.put(folder + files.manifest, written.manifest)
      const again = await this.load(target, version)
      if (again.body !== model.body) throw refusal(target, version, 'it does not read back as it was written')
    })
  }

  /**
   * Makes a version the live one, the last step of publishing. The one that was served until now becomes the one
   * before it. Throws `model_refused` or `model_missing` where the version does not load; nothing has changed then.
   */
  point(target: Target, version: string): Promise<void> {
    return this.#inTurn(target, async () => {
      await this.load(target, version)
      const folder = await folderOf(keptRoot, target)
      const served = (await this.newestGood(target)).model?.card.model.version
      if (served === undefined) await this.#artifacts.remove([folder + previousName])
      else if (served !== version) await this.#write(folder + previousName, served)
      await this.#write(folder + latestName, version)
    })
  }

  /** No learnt model is live any more, only the naive forecast. */
  unpoint(target: Target): Promise<void> {
    return this.#inTurn(target, async () => {
      const old = await oldFolderOf(keptRoot, target)
      const folder = await folderOf(keptRoot, target)
      // the pointer before targets first: it counts as soon as there is no other
      const folders = old === undefined ? [folder] : [old, folder]
      await this.#artifacts.remove(folders.flatMap((each) => [each + latestName, each + previousName]))
    })
  }

  /** The version that is pointed at; it may not load. */
  async latest(target: Target): Promise<string | undefined> {
    return (await this.#pointer(target, latestName)) || undefined
  }

  /**
   * A version, complete and as it was written. Throws `model_refused` with a reason for one that is damaged, cut
   * short, half written, foreign or set aside, `model_missing` where there is nothing.
   */
  async load(target: Target, version: string): Promise<StoredModel> {
    const aside = await this.#whyAside(target, version)
    if (aside !== undefined) throw refusal(target, version, `it was set aside: ${aside}`)
    const folder = await this.#placeOf(target, version)
    const [model, card, manifest] = await Promise.all(
      [files.model, files.card, files.manifest].map((file) => this.#artifacts.get(folder + file)),
    )
    if (!model && !card && !manifest) {
      const detail = 'no such version is kept'
      throw new HomeostatError('model_missing', { model: nameOf(target, version), detail })
    }
    const stored: VersionFiles = { model, card, manifest }
    return orRefuse(target, version, () => read(stored, target, version))
  }

  /** The version that is pointed at if it loads, else the one before it, else none. None, too, where none is live. */
  async newestGood(target: Target): Promise<NewestGood> {
    const refused: { version: string; reason: string }[] = []
    const latest = await this.#pointer(target, latestName)
    if (latest === undefined) return { refused }
    const previous = await this.#pointer(target, previousName)
    for (const version of new Set([latest, previous])) {
      if (version === undefined) continue
      try {
        if (version === '') throw refusal(target, '', 'the pointer to its live version is empty')
        return { model: await this.load(target, version), refused }
      } catch (error) {
        if (!(error instanceof HomeostatError)) throw error
        refused.push({ version, reason: error.message })
      }
    }
    return { refused }
  }

  /** Moves a version out of the way, so that it is never loaded again and can be looked at; the first reason stays. */
  quarantine(target: Target, version: string, reason: string): Promise<void> {
    return this.#inTurn(target, async () => {
      const aside = await this.#folderOf(target, version, refusedRoot)
      const known = await this.#text(aside + whyName)
      // from here on it is refused, also if the hub ends before its files were moved
      await this.#write(aside + whyName, known ?? reason)
      if (known === undefined)
        this.#log.warn('a model is set aside', { model: nameOf(target, version), reason })
      await this.#moveAside(target, version)
    })
  }

  /** All versions that have a manifest and were not set aside, by name. */
  async versions(target: Target): Promise<string[]> {
    const [kept, aside] = await Promise.all([
      this.#filesOf(target, keptRoot),
      this.#filesOf(target, refusedRoot),
    ])
    return [...kept]
      .filter(([name, has]) => has.has(files.manifest) && !aside.has(name))
      .map(([name]) => name)
  }

  /**
   * Removes all versions but those to keep, the live one and the one before it, and what was abandoned half written
   * an hour ago or more. Gives back what was removed.
   */
  trim(target: Target, keep: readonly string[]): Promise<string[]> {
    return this.#inTurn(target, async () => {
      const pointers = [await this.#pointer(target, latestName), await this.#pointer(target, previousName)]
      const stay = new Set<string | undefined>([...keep, ...pointers])
      const aside = await this.#filesOf(target, refusedRoot)
      const removed: string[] = []
      for (const [version, has] of await this.#filesOf(target, keptRoot)) {
        if (aside.has(version)) await this.#moveAside(target, version)
        else if (await this.#isToGo(target, version, has, stay)) {
          await this.#removeVersion(target, version, keptRoot)
          removed.push(version)
        }
      }
      for (const version of [...aside.keys()].slice(0, -refusedMax)) {
        await this.#removeVersion(target, version, refusedRoot)
      }
      return removed
    })
  }

  /** Removes one version. */
  erase(target: Target, version: string): Promise<void> {
    return this.#inTurn(target, () => this.#removeVersion(target, version, keptRoot))
  }

  /** All models of a site, its pointers first, when the changes that were under way have ended; the caller begins no further ones. */
  async removeSite(site: string): Promise<void> {
    await this.#turns.settled((key) => key.startsWith(`${site}\u001f`))
    const segment = await segmentOf(site)
    for (const root of [keptRoot, refusedRoot]) {
      const keys = await this.#artifacts.list(`${root}/${segment}/`)
      const isPointer = (key: string): boolean => key.endsWith(`/${latestName}`)
      await this.#artifacts.remove([...keys.filter(isPointer), ...keys.filter((key) => !isPointer(key))])
    }
  }

  async #isToGo(
    target: Target,
    version: string,
    has: ReadonlySet<string>,
    stay: ReadonlySet<string | undefined>,
  ): Promise<boolean> {
    const folder = await this.#folderOf(target, version)
    if (has.has(files.manifest)) {
      this.#halfSince.delete(folder)
      return !stay.has(version)
    }
    // another hub on the same store may be writing it just now; the store tells no times, so this one watches
    const since = this.#halfSince.get(folder) ?? this.#clock.monotonic()
    this.#halfSince.set(folder, since)
    return this.#clock.monotonic() - since >= halfWrittenMs
  }

  async #moveAside(target: Target, version: string): Promise<void> {
    const from = await this.#placeOf(target, version)
    const to = await this.#folderOf(target, version, refusedRoot)
    for (const file of Object.values(files)) {
      const bytes = await this.#artifacts.get(from + file)
      if (bytes) await this.#artifacts.put(to + file, bytes)
    }
    await this.#removeVersion(target, version, keptRoot)
  }

  /** The manifest first, and why.txt last: what is left of a removal that was cut short never loads. */
  async #removeVersion(target: Target, version: string, root: string): Promise<void> {
    const folder = await this.#placeOf(target, version, root)
    const weight = (key: string): number => {
      if (key === folder + files.manifest) return 0
      return key === folder + whyName ? 2 : 1
    }
    const keys = await this.#artifacts.list(folder)
    await this.#artifacts.remove(keys.sort((a, b) => weight(a) - weight(b)))
    this.#halfSince.delete(folder)
  }

  /** By version, in the order of their names: which files it has. */
  async #filesOf(target: Target, root: string): Promise<Map<string, Set<string>>> {
    const folders = new Set([await folderOf(root, target), await oldFolderOf(root, target)])
    const found: [string, Set<string>][] = []
    for (const folder of folders) {
      for (const key of folder === undefined ? [] : await this.#artifacts.list(folder)) {
        const [version, file] = key.slice((folder ?? '').length).split('/')
        if (version === undefined || file === undefined) continue
        const known = found.find(([name]) => name === version)
        if (known) known[1].add(file)
        else found.push([version, new Set([file])])
      }
    }
    return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** The folder that holds the files of a version: its own, or the one that hubs before targets wrote to. */
  async #placeOf(target: Target, version: string, root = keptRoot): Promise<string> {
    const folder = await this.#folderOf(target, version, root)
    const series = await oldFolderOf(root, target)
    if (series === undefined || (await this.#artifacts.list(folder)).length > 0) return folder
    const old = `${series}${version}/`
    return (await this.#artifacts.list(old)).length > 0 ? old : folder
  }

  async #folderOf(target: Target, version: string, root = keptRoot): Promise<string> {
    return `${await folderOf(root, target)}${checkVersion(target, version)}/`
  }

  /** The reason without its full stop: it goes into another sentence. */
  async #whyAside(target: Target, version: string): Promise<string | undefined> {
    const why = await this.#text((await this.#placeOf(target, version, refusedRoot)) + whyName)
    return why?.replace(/\.\s*$/, '')
  }

  /** What it says without the blanks that an editor may add; undefined where there is none. */
  async #pointer(target: Target, name: string): Promise<string | undefined> {
    const folder = await folderOf(keptRoot, target)
    const old = await oldFolderOf(keptRoot, target)
    const isOld = old !== undefined && (await this.#text(folder + latestName)) === undefined
    return (await this.#text((isOld ? old : folder) + name))?.trim()
  }

  async #text(key: string): Promise<string | undefined> {
    const bytes = await this.#artifacts.get(key)
    return bytes && new TextDecoder().decode(bytes)
  }

  #write(key: string, text: string): Promise<void> {
    return this.#artifacts.put(key, new TextEncoder().encode(text))
  }

  #inTurn<Result>(target: Target, work: () => Promise<Result>): Promise<Result> {
    return this.#turns.run(targetId(target), work)
  }
}

async function orRefuse<Result>(
  target: Target,
  version: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Unfit) throw refusal(target, version, error.message)
    throw error
  }
}
